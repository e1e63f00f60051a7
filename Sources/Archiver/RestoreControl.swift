import Bytes
import Glibc
import Postgres
import Repository
import Streams

/// The control file of a backup, read before anything is written and written when all else is there.
struct RestoreControl: Sendable {
    let entry: TarEntry
    let bytes: [UInt8]
    let file: ControlFile

    /// `pg_control` has 8 KiB.
    private static let limit = 1 << 20

    /// Directories of the cluster: 0750 where its files may be read by the group, else 0700.
    var directoryMode: mode_t { entry.mode & 0o040 != 0 ? 0o750 : 0o700 }
    var mode: mode_t { mode_t(entry.mode) & 0o777 | 0o600 }

    /// Reads `pg_control.tar` and checks that it is of this backup.
    static func read(_ backup: BackupDocuments, _ stream: FetchStream) async throws -> RestoreControl {
        let tar = backup.plan.control
        // One member, which must be whole; in WAL-G's remote mode the archive has no end.
        let members = try await stream.readSmall(tar, end: .optional, limit: limit)
        guard members.count == 1, let member = members.first, member.entry.kind == .regular,
            try MemberPath(memberName: member.entry.path) == .control
        else {
            throw ArchiverError(
                .corrupted, "\(tar.key) does not hold global/pg_control alone: it is not what its name says")
        }
        let file: ControlFile
        do {
            file = try ControlFile(parsing: member.bytes)
        } catch {
            throw ArchiverError(.corrupted, "\(tar.key): \(error)")
        }
        try check(file, of: backup)
        return RestoreControl(entry: member.entry, bytes: member.bytes, file: file)
    }

    /// The control file is copied at the end of the backup: its checkpoint lies between the backup's start and end.
    private static func check(_ file: ControlFile, of backup: BackupDocuments) throws(ArchiverError) {
        let key = backup.plan.control.key
        if let expected = backup.sentinel.systemIdentifier, expected != file.systemIdentifier {
            throw ArchiverError(
                .corrupted,
                """
                \(key) is of the cluster \(file.systemIdentifier), the backup of \(expected): it belongs to another \
                backup
                """)
        }
        let redo = file.checkpointRedo
        if let start = backup.sentinel.startLSN, redo < start {
            throw ArchiverError(
                .corrupted,
                "\(key): its checkpoint begins at \(redo), before the backup's start \(start): it is another backup's")
        }
        if let end = backup.sentinel.finishLSN, redo > end {
            throw ArchiverError(
                .corrupted,
                "\(key): its checkpoint begins at \(redo), after the backup's end \(end): it is another backup's")
        }
        try checkName(file, of: backup)
    }

    /// The name of a backup is the segment it starts in; a sentinel that says otherwise is another backup's.
    private static func checkName(_ file: ControlFile, of backup: BackupDocuments) throws(ArchiverError) {
        guard let name = BackupName(backup.name), let start = backup.sentinel.startLSN else { return }
        let size = UInt64(file.segmentSize.byteCount)
        let number = name.segment.number(file.segmentSize)
        // A start at a segment's first byte is counted to the one before by pg_walfile_name, not by all.
        guard number == start.rawValue / size || number == (max(start.rawValue, 1) - 1) / size else {
            throw ArchiverError(
                .corrupted,
                """
                \(Layout.sentinel(backup.name)): the start \(start) does not lie in the segment that the backup is \
                named for: the sentinel is another backup's
                """)
        }
    }

    /// Whom the restored files are given to; nil: whoever runs this.
    ///
    /// Only root gives files away: to the owner of the destination where that is not root, else to the source's owner
    /// by name, else by number.
    static func owner(of entry: TarEntry, destination: String) -> FileOwner? {
        guard geteuid() == 0 else { return nil }
        if let status = (try? FileSystem.status(destination)) ?? nil, status.userID != 0 {
            return FileOwner(userID: status.userID, groupID: status.groupID)
        }
        if let named = FileOwner.named(user: entry.userName, group: entry.groupName) {
            return named.userID == 0 ? nil : named
        }
        guard let userID = uid_t(exactly: entry.userID), let groupID = gid_t(exactly: entry.groupID), userID != 0
        else { return nil }
        return FileOwner(userID: userID, groupID: groupID)
    }
}
