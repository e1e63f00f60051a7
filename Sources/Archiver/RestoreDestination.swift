import Bytes
import Glibc

/// The directory a backup is to be restored into, looked at before anything is written.
enum RestoreDestination {
    /// Lies in the directory until it is whole, and says so to whoever comes across it.
    static let marker = "wals_restore_incomplete"

    /// Refuses what must not be written into, and changes nothing.
    ///
    /// - Throws: `ArchiverError` with `conflict` for a directory that is not empty or that a server runs in, with
    ///   `localFile` for what is no directory; `SystemError` for one that cannot be written.
    static func check(_ path: String) throws {
        guard let status = try FileSystem.status(path) else {
            if try FileSystem.linkStatus(path) != nil {
                throw ArchiverError(.localFile, "\(path) is a symbolic link that leads nowhere: remove it")
            }
            return try checkParent(of: path)
        }
        guard status.kind == .directory else {
            throw ArchiverError(.localFile, "\(path) is a file, not a directory: nothing can be restored into it")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else { throw SystemError(call: "access", path: path) }
        let names = try FileSystem.names(in: path)
        guard !names.isEmpty else { return }
        if let process = try runningServer(in: path) {
            throw ArchiverError(
                .conflict,
                "\(path) is the data directory of a running server (process \(process)): refused, nothing was touched")
        }
        if names.contains(marker) {
            throw ArchiverError(
                .conflict,
                """
                \(path) holds a backup-fetch that did not end (see \(Path.join(path, marker))): make sure that none \
                is running, remove the directory's contents (and those of its tablespaces) and fetch again
                """)
        }
        let example = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
        throw ArchiverError(
            .conflict,
            "\(path) is not empty (\(example)): refused, nothing was touched. Restore into an empty directory")
    }

    /// The nearest directory above that exists must take new names.
    private static func checkParent(of path: String) throws {
        var parent = Path.parent(path)
        while try FileSystem.status(parent) == nil, parent != Path.parent(parent) { parent = Path.parent(parent) }
        guard try FileSystem.status(parent)?.kind == .directory else {
            throw ArchiverError(.localFile, "\(path) cannot be made: \(parent) is not a directory")
        }
        guard access(parent, W_OK | X_OK) == 0 else {
            throw SystemError(call: "mkdir", path: "\(path) (in \(parent))")
        }
    }

    /// The process of the server that has the directory open; nil when none is alive.
    private static func runningServer(in path: String) throws -> pid_t? {
        let file = Path.join(path, "postmaster.pid")
        guard let bytes = try? FileSystem.contents(file, limit: 4096) else { return nil }
        let line = bytes.prefix { $0 != 0x0A }
        guard let process = pid_t(String(decoding: line, as: UTF8.self)), process > 0 else { return nil }
        return kill(process, 0) == 0 || errno == EPERM ? process : nil
    }

    /// Makes the directory where it is missing, and puts the marker in.
    static func prepare(
        _ path: String, backup: String, mode: mode_t, owner: FileOwner?, syncs: Bool, _ log: Log
    ) throws -> DirectoryHandle {
        try makeDirectory(path, owner: owner, syncs: syncs)
        let root = try DirectoryHandle(opening: path)
        try setMode(mode, of: root, log)
        let file = try root.createFile(marker, isNew: true)
        try file.write(markerText(backup: backup).span.bytes)
        if let owner { try owner.apply(to: file) }
        if syncs {
            try file.sync()
            try root.sync()
        }
        try file.close()
        return root
    }

    private static func setMode(_ mode: mode_t, of root: DirectoryHandle, _ log: Log) throws(SystemError) {
        var refusal: SystemError?
        do { try root.setMode(mode) } catch { refusal = error }
        guard let refusal else { return }
        guard refusal.code == EPERM else { throw refusal }
        // A mount point that is somebody else's: PostgreSQL looks at the mode itself.
        log.warning("\(refusal): PostgreSQL wants the mode 0700 or 0750")
    }

    /// Makes `path`, 0700, for `owner`; what is missing above it is made as `mkdir -p` would.
    static func makeDirectory(_ path: String, owner: FileOwner?, syncs: Bool) throws(SystemError) {
        let parent = Path.parent(path)
        try FileSystem.makeDirectories(parent, mode: 0o755)
        guard try FileSystem.status(path) == nil else { return }
        try FileSystem.makeDirectory(path, mode: 0o700)
        if let owner { try DirectoryHandle(opening: path).setOwner(owner) }
        if syncs { try FileSystem.syncDirectory(parent) }
    }

    /// What the marker tells its reader.
    static func markerText(backup: String) -> [UInt8] {
        Array(
            """
            wal-s backup-fetch of \(backup) is writing this directory, or was ended before it was done.
            PostgreSQL must not use it, and cannot: global/pg_control is written last, and this file is removed then.
            If no backup-fetch is running, remove everything in this directory and fetch again.

            """.utf8)
    }
}
