import Bytes
package import Glibc

/// A directory held open: names below it are looked up one by one, and symbolic links are never followed.
///
/// What a backup says can therefore not lead a write out of the directory, whatever links it brought along.
final class DirectoryHandle: Sendable {
    let path: String
    private let descriptor: FileDescriptor

    /// Opens a directory, links followed: for the places the operator named.
    init(opening path: String) throws(SystemError) {
        self.path = path
        descriptor = try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY)
    }

    private init(owning raw: CInt, path: String) {
        self.path = path
        descriptor = FileDescriptor(owning: raw, path: path)
    }

    /// The directory `name`; nil when it is not there.
    func directory(_ name: String) throws(SystemError) -> DirectoryHandle? {
        let raw = openat(descriptor.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard raw >= 0 else {
            guard errno == ENOENT else { throw SystemError(call: "openat", path: Path.join(path, name)) }
            return nil
        }
        return DirectoryHandle(owning: raw, path: Path.join(path, name))
    }

    /// Makes the directory `name` (0700); false when it was there.
    func makeDirectory(_ name: String) throws(SystemError) -> Bool {
        if mkdirat(descriptor.number, name, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw SystemError(call: "mkdirat", path: Path.join(path, name)) }
        return false
    }

    /// Opens `name` for writing, empty; `isNew` refuses one that is there.
    func createFile(_ name: String, isNew: Bool = false) throws(SystemError) -> FileDescriptor {
        let file = Path.join(path, name)
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (isNew ? O_EXCL : O_TRUNC)
        let raw = openat(descriptor.number, name, flags, 0o600)
        guard raw >= 0 else { throw SystemError(call: "openat", path: file) }
        return FileDescriptor(owning: raw, path: file)
    }

    /// Makes the symbolic link `name`; one with the same target may be there.
    func makeSymbolicLink(_ name: String, to target: String) throws(SystemError) {
        guard symlinkat(target, descriptor.number, name) != 0 else { return }
        let failure = SystemError(call: "symlinkat", path: Path.join(path, name))
        guard failure.code == EEXIST, (try? FileSystem.linkTarget(Path.join(path, name))) == target else {
            throw failure
        }
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        guard renameat(descriptor.number, old, descriptor.number, new) == 0 else {
            throw SystemError(call: "renameat", path: Path.join(path, new))
        }
    }

    /// Removes a file; nothing when it is not there.
    func removeFile(_ name: String) throws(SystemError) {
        guard unlinkat(descriptor.number, name, 0) == 0 || errno == ENOENT else {
            throw SystemError(call: "unlinkat", path: Path.join(path, name))
        }
    }

    func setMode(_ mode: mode_t) throws(SystemError) { try descriptor.setMode(mode) }

    func setModified(_ time: Timestamp) throws(SystemError) { try descriptor.setModified(time) }

    func setOwner(_ owner: FileOwner) throws(SystemError) { try owner.apply(to: descriptor) }

    func setOwner(_ owner: FileOwner, ofLink name: String) throws(SystemError) {
        guard fchownat(descriptor.number, name, owner.userID, owner.groupID, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw SystemError(call: "fchownat", path: Path.join(path, name))
        }
    }

    func sync() throws(SystemError) { try descriptor.sync() }

    /// Makes everything durable that is in the directory's file system, and tells of all that could not be written
    /// since the directory was opened.
    func syncFileSystem() throws(SystemError) { try descriptor.syncFileSystem() }

    var canSyncFileSystem: Bool { descriptor.canSyncFileSystem }

    func status() throws(SystemError) -> FileStatus { try descriptor.status() }
}

/// Whom restored files belong to; only root gives files away.
package struct FileOwner: Equatable, Sendable {
    package let userID: uid_t
    package let groupID: gid_t

    func apply(to descriptor: borrowing FileDescriptor) throws(SystemError) {
        guard fchown(descriptor.number, userID, groupID) == 0 else {
            throw SystemError(call: "fchown", path: descriptor.path)
        }
    }

    /// The local user and group of these names; nil when either is unknown here.
    package static func named(user: String, group: String) -> FileOwner? {
        guard !user.isEmpty, !group.isEmpty, let entry = getpwnam(user) else { return nil }
        let userID = entry.pointee.pw_uid
        guard let entry = getgrnam(group) else { return nil }
        return FileOwner(userID: userID, groupID: entry.pointee.gr_gid)
    }
}
