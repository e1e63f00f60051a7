import CKernels
package import Glibc

/// System calls on paths.
///
/// Paths are plain strings, as the kernel takes them.
package enum FileSystem {
    /// The status of `path`, links followed; nil when nothing is there.
    package static func status(_ path: String) throws(SystemError) -> FileStatus? {
        var status = stat()
        guard stat(path, &status) == 0 else { return try absent("stat", path) }
        return FileStatus(status)
    }

    /// The status of `path` itself, links not followed; nil when nothing is there.
    package static func linkStatus(_ path: String) throws(SystemError) -> FileStatus? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return try absent("lstat", path) }
        return FileStatus(status)
    }

    private static func absent(_ call: String, _ path: String) throws(SystemError) -> FileStatus? {
        guard errno == ENOENT || errno == ENOTDIR else { throw SystemError(call: call, path: path) }
        return nil
    }

    /// Names in a directory, `.` and `..` left out, sorted bytewise.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError(call: "opendir", path: path) }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw SystemError(call: "readdir", path: path) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(SystemError) {
        guard mkdir(path, mode) == 0 else { throw SystemError(call: "mkdir", path: path) }
    }

    /// Makes `path` and what is missing above it; nothing when it is there already.
    package static func makeDirectories(_ path: String, mode: mode_t = 0o700) throws(SystemError) {
        if mkdir(path, mode) == 0 { return }
        switch errno {
        case EEXIST:
            guard try status(path)?.kind == .directory else {
                throw SystemError(call: "mkdir", path: path, code: ENOTDIR)
            }
        case ENOENT:
            let parent = Path.parent(path)
            guard parent != path else { throw SystemError(call: "mkdir", path: path, code: ENOENT) }
            try makeDirectories(parent, mode: mode)
            guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemError(call: "mkdir", path: path) }
        default: throw SystemError(call: "mkdir", path: path)
        }
    }

    package static func rename(_ old: String, to new: String) throws(SystemError) {
        guard Glibc.rename(old, new) == 0 else { throw SystemError(call: "rename", path: "\(old) to \(new)") }
    }

    /// Gives the file a second name that must not exist yet: false when it does.
    ///
    /// The C function is `link`.
    package static func link(_ old: String, to new: String) throws(SystemError) -> Bool {
        if Glibc.link(old, new) == 0 { return true }
        guard errno == EEXIST else { throw SystemError(call: "link", path: "\(old) to \(new)") }
        return false
    }

    /// Renames in one step unless something has the new name: then false, and both stay as they are.
    ///
    /// The C function is `renameat2` with `RENAME_NOREPLACE`; some network file systems have no such call (`EINVAL`).
    package static func renameUnlessTaken(_ old: String, to new: String) throws(SystemError) -> Bool {
        if kernels_rename_unless_taken(old, new) == 0 { return true }
        guard errno == EEXIST else { throw SystemError(call: "renameat2", path: "\(old) to \(new)") }
        return false
    }

    package static func symbolicLink(to target: String, at path: String) throws(SystemError) {
        guard symlink(target, path) == 0 else { throw SystemError(call: "symlink", path: path) }
    }

    package static func linkTarget(_ path: String) throws(SystemError) -> String {
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(PATH_MAX))
        defer { buffer.deallocate() }
        guard let start = buffer.baseAddress else { return "" }
        let count = readlink(path, start, buffer.count)
        guard count >= 0 else { throw SystemError(call: "readlink", path: path) }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// The absolute path with every link resolved.
    package static func resolved(_ path: String) throws(SystemError) -> String {
        guard let real = realpath(path, nil) else { throw SystemError(call: "realpath", path: path) }
        defer { free(real) }
        return String(cString: real)
    }

    /// Removes a file or link; false when nothing was there.
    @discardableResult
    package static func removeFile(_ path: String) throws(SystemError) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw SystemError(call: "unlink", path: path) }
        return false
    }

    package static func removeEmptyDirectory(_ path: String) throws(SystemError) {
        guard rmdir(path) == 0 else { throw SystemError(call: "rmdir", path: path) }
    }

    /// Removes `path` and all below it, links not followed; nothing when it is not there.
    package static func removeTree(_ path: String) throws(SystemError) {
        guard let status = try linkStatus(path) else { return }
        guard status.kind == .directory else {
            try removeFile(path)
            return
        }
        for name in try names(in: path) { try removeTree(Path.join(path, name)) }
        try removeEmptyDirectory(path)
    }

    package static func setMode(_ path: String, _ mode: mode_t) throws(SystemError) {
        guard chmod(path, mode) == 0 else { throw SystemError(call: "chmod", path: path) }
    }

    /// Makes the entries of a directory durable.
    package static func syncDirectory(_ path: String) throws(SystemError) {
        try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY).sync()
    }

    /// The whole of a small file.
    ///
    /// - Throws: `EFBIG` when it is longer than `limit` bytes.
    package static func contents(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        let file = try FileDescriptor(opening: path, O_RDONLY)
        var contents: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try file.read(into: chunk)
            if count == 0 { return contents }
            guard contents.count + count <= limit else { throw SystemError(call: "read", path: path, code: EFBIG) }
            contents.append(contentsOf: chunk[..<count])
        }
    }

    /// Replaces `path` in one step: temporary name beside it, fsync, rename, fsync of the directory.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: mode_t = 0o600
    ) throws(SystemError) {
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        do throws(SystemError) {
            let file = try FileDescriptor(opening: temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
            try file.write(bytes.span.bytes)
            try file.sync()
            try file.close()
            try rename(temporary, to: path)
            try syncDirectory(Path.parent(path))
        } catch {
            _ = try? removeFile(temporary)
            throw error
        }
    }
}

/// Pure operations on path text.
package enum Path {
    package static func join(_ base: String, _ name: String) -> String {
        if base.isEmpty { return name }
        return base.hasSuffix("/") ? base + name : base + "/" + name
    }

    /// What stands before the last component; `.` when there is none, `/` for the root.
    package static func parent(_ path: String) -> String {
        let trimmed = trimmingSlashes(path)
        guard let slash = trimmed.utf8.lastIndex(of: 0x2F) else { return trimmed == "/" ? "/" : "." }
        if slash == trimmed.startIndex { return "/" }
        return String(trimmed[..<slash])
    }

    /// The last component.
    package static func name(_ path: String) -> String {
        let trimmed = trimmingSlashes(path)
        guard let slash = trimmed.utf8.lastIndex(of: 0x2F), trimmed != "/" else { return trimmed }
        return String(trimmed[trimmed.utf8.index(after: slash)...])
    }

    package static func isAbsolute(_ path: String) -> Bool { path.utf8.first == 0x2F }

    /// The absolute form of `path`, seen from the working directory.
    ///
    /// Links and `..` stay.
    package static func absolute(_ path: String) -> String {
        guard !isAbsolute(path), let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return join(String(cString: current), path)
    }

    private static func trimmingSlashes(_ path: String) -> String {
        var trimmed = Substring(path)
        while trimmed.utf8.count > 1, trimmed.utf8.last == 0x2F { trimmed.removeLast() }
        return String(trimmed)
    }
}
