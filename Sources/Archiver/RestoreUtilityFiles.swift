import Bytes
import Postgres
import Repository

/// The small files and empty directories that make a data directory of the restored files.
struct RestoreUtilityFiles {
    let backup: BackupDocuments
    let tree: RestoreTree
    let tablespaces: [TablespaceSpec.Tablespace]
    let syncs: Bool

    /// Directories that backups leave out, or that are empty, and that PostgreSQL wants.
    ///
    /// Source: PostgreSQL, src/bin/initdb/initdb.c, `subdirs`, without those whose absence would mean lost files.
    static let standardDirectories = [
        "global", "pg_commit_ts", "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat",
        "pg_stat_tmp", "pg_subtrans", "pg_tblspc", "pg_twophase", "pg_wal", "pg_wal/archive_status",
    ]

    static func makeStandardDirectories(in tree: RestoreTree) throws(SystemError) {
        for name in standardDirectories { _ = try tree.directory(MemberPath(trusted: name)) }
    }

    /// Refuses a label that is another backup's: recovery would begin at the wrong place.
    static func check(label bytes: [UInt8], of backup: BackupDocuments) throws(ArchiverError) {
        let label: BackupLabel
        do {
            label = try BackupLabel(parsing: bytes)
        } catch {
            throw ArchiverError(.corrupted, "backup_label of \(backup.name): \(error)")
        }
        guard let start = backup.sentinel.startLSN else { return }
        guard label.start == start else {
            throw ArchiverError(
                .corrupted,
                """
                backup_label of \(backup.name) starts at \(label.start), the backup at \(start): it is another \
                backup's
                """)
        }
    }

    /// Writes `tablespace_map`, as the tablespaces lie now, and `backup_label`.
    ///
    /// - Throws: `ArchiverError` with `corrupted` when there is no label, or tablespaces are missing in the sentinel.
    func write(_ held: HeldFiles) throws {
        guard let label = held[.backupLabel] else {
            throw ArchiverError(
                .corrupted,
                "\(backup.name) has no backup_label, neither in a tar of its own nor in a part: it cannot be restored")
        }
        try Self.check(label: label.bytes, of: backup)
        if let map = held[.tablespaceMap] {
            for tablespace in try TablespaceMap.parse(map.bytes)
            where !tablespaces.contains(where: { $0.name == tablespace.name }) {
                throw ArchiverError(
                    .corrupted,
                    """
                    tablespace_map of \(backup.name) has tablespace \(tablespace.name), of which the sentinel says \
                    nothing
                    """)
            }
        }
        // PostgreSQL makes the links anew from this file: it must say where the files are now.
        if !tablespaces.isEmpty || held[.tablespaceMap] != nil {
            let map = held[.tablespaceMap] ?? label
            try tree.writeSmallFile(
                .tablespaceMap, TablespaceMap.bytes(tablespaces), mode: map.mode | 0o600, modified: map.modified,
                syncs: syncs)
        }
        try tree.writeSmallFile(
            .backupLabel, label.bytes, mode: label.mode | 0o600, modified: label.modified, syncs: syncs)
    }
}
