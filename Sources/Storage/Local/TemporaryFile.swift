import Bytes
import Glibc

/// A file being written under a temporary name beside the place it is meant for.
///
/// It holds the advisory lock (`flock`) of its file from creation until it is let go, so that sweepers in other
/// processes can tell a writer at work from the debris of a dead one. Unless published it is removed, at the latest
/// when the last reference goes.
final class TemporaryFile: Sendable {
    let path: String
    private let file: FileDescriptor
    private let isSettled = Locked(false)

    /// Creates the file; `directory` must exist.
    ///
    /// - Throws: `ENOENT` when the directory is not there (any more).
    init(for name: String, in directory: String, now: Timestamp) throws(SystemError) {
        var generator = SystemRandomNumberGenerator()
        while true {
            let temporaryName = LocalPath.temporaryName(for: name, now: now, random: generator.next())
            let path = Path.join(directory, temporaryName)
            do throws(SystemError) {
                let created = try FileDescriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
                guard try Self.lock(created, path) else { continue }
                file = created
                self.path = path
                return
            } catch  where error.code == EEXIST {
                continue
            }
        }
    }

    /// Takes the lock of a file just created; false when a sweeper came first, whose clock is far ahead.
    private static func lock(_ file: borrowing FileDescriptor, _ path: String) throws(SystemError) -> Bool {
        // Where a file system has no locks the age of debris alone protects the file.
        guard let isLocked = try? file.tryLock() else { return true }
        guard isLocked, let there = try FileSystem.linkStatus(path) else { return false }
        let status = try file.status()
        return there.inode == status.inode
    }

    deinit { discard() }

    func write(_ bytes: RawSpan) throws(SystemError) { try file.write(bytes) }

    /// Makes the contents durable and gives the file its name in one step, replacing what has that name.
    func publish(replacing target: String) throws(SystemError) -> FileStatus {
        try file.sync()
        let status = try file.status()
        try FileSystem.rename(path, to: target)
        isSettled.withLock { $0 = true }
        return status
    }

    /// Makes the contents durable and gives the file its name in one step; nil when the name is taken.
    func publish(creating target: String) throws(SystemError) -> FileStatus? {
        try file.sync()
        let status = try file.status()
        do throws(SystemError) {
            guard try FileSystem.link(path, to: target) else {
                // A network file system that repeats a call whose answer was lost says EEXIST of its own success.
                guard let there = try FileSystem.linkStatus(target),
                    there.inode == status.inode, there.device == status.device
                else { return nil }
                return status
            }
            return status
        } catch  where [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.code) {
            // No hard links here (FAT, some FUSE and SMB mounts).
            guard try FileSystem.renameUnlessTaken(path, to: target) else { return nil }
            isSettled.withLock { $0 = true }
            return status
        }
    }

    /// Removes the temporary name, if it is still there.
    func discard() {
        let wasSettled = isSettled.withLock { settled in
            defer { settled = true }
            return settled
        }
        if !wasSettled { _ = try? FileSystem.removeFile(path) }
    }

    /// Removes temporary files in `directory` that no process writes and that were not touched for `grace`.
    ///
    /// Never fails: what cannot be removed now is met again by the next sweep.
    static func sweep(_ directory: String, grace: Duration, now: Timestamp) {
        for name in debris(in: directory) {
            let path = Path.join(directory, name)
            // Opened for writing, because NFS grants exclusive locks to writers only.
            guard let file = try? FileDescriptor(opening: path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK),
                let status = try? file.status(), status.kind == .regular,
                status.modified.duration(to: now) >= grace,
                (try? file.tryLock()) == true
            else { continue }
            _ = try? FileSystem.removeFile(path)
        }
    }

    /// Temporary names in a directory, looked for in the raw entries: an archive has a hundred thousand of them.
    private static func debris(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { field -> String? in
                guard let start = field.baseAddress else { return nil }
                let length = strnlen(start.assumingMemoryBound(to: CChar.self), field.count)
                let bytes = UnsafeRawBufferPointer(start: start, count: length)
                return LocalPath.isTemporary(bytes) ? String(decoding: bytes, as: UTF8.self) : nil
            }
            if let name { names.append(name) }
        }
        return names
    }
}
