import CKernels
package import Glibc

/// An open file, closed exactly once: by `close()`, or when the value goes out of scope.
package struct FileDescriptor: ~Copyable, Sendable {
    /// What was opened, for messages.
    package let path: String
    private var raw: CInt

    /// Takes ownership of an open descriptor.
    package init(owning raw: CInt, path: String) {
        self.raw = raw
        self.path = path
    }

    /// Opens `path`; always close-on-exec, repeated when a signal interrupts it.
    ///
    /// The corresponding C function is `open`.
    package init(opening path: String, _ flags: CInt, mode: mode_t = 0o600) throws(SystemError) {
        let raw = retrying { Glibc.open(path, flags | O_CLOEXEC, mode) }
        guard raw >= 0 else { throw SystemError(call: "open", path: path) }
        self.init(owning: raw, path: path)
    }

    deinit { if raw >= 0 { _ = Glibc.close(raw) } }

    /// The number, for C calls, while this value lives.
    package var number: CInt { raw }

    /// Closes and reports what the kernel says of it (a full disk can show here on network file systems).
    package consuming func close() throws(SystemError) {
        let closing = raw
        raw = -1
        guard Glibc.close(closing) == 0 || errno == EINTR else { throw SystemError(call: "close", path: path) }
    }

    /// Reads at the current position; 0 at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        let count = retrying { Glibc.read(raw, buffer.baseAddress, buffer.count) }
        guard count >= 0 else { throw SystemError(call: "read", path: path) }
        return count
    }

    /// Reads at `offset` until the buffer is full or the file ends; says how much there was.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = retrying { pread(raw, rest.baseAddress, rest.count, off_t(offset + done)) }
            guard count >= 0 else { throw SystemError(call: "pread", path: path) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Writes all of `bytes` at the current position.
    package func write(_ bytes: RawSpan) throws(SystemError) {
        try bytes.withUnsafeBytes { buffer throws(SystemError) in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
                let count = retrying { Glibc.write(raw, rest.baseAddress, rest.count) }
                guard count >= 0 else { throw SystemError(call: "write", path: path) }
                done += count
            }
        }
    }

    /// Writes all of `bytes` at `offset`, leaving the current position alone.
    package func write(_ bytes: RawSpan, at offset: Int) throws(SystemError) {
        try bytes.withUnsafeBytes { buffer throws(SystemError) in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
                let count = retrying { pwrite(raw, rest.baseAddress, rest.count, off_t(offset + done)) }
                guard count >= 0 else { throw SystemError(call: "pwrite", path: path) }
                done += count
            }
        }
    }

    /// Makes contents and metadata durable.
    package func sync() throws(SystemError) {
        guard retrying({ fsync(raw) }) == 0 else { throw SystemError(call: "fsync", path: path) }
    }

    /// Makes everything durable that is in the file system of this file, whoever wrote it.
    ///
    /// - Throws: also for what could not be written since this descriptor was opened.
    package func syncFileSystem() throws(SystemError) {
        guard kernels_sync_file_system(raw) == 0 else { throw SystemError(call: "syncfs", path: path) }
    }

    /// Whether `syncFileSystem` can be relied on: Linux 5.8 or later, and a file system that is known to keep to it.
    package var canSyncFileSystem: Bool { kernels_can_sync_file_system(raw) == 1 }

    /// Has the kernel begin to write what is not on disk yet, and waits for nothing.
    package func startWriting() { kernels_start_writing(raw) }

    package func truncate(to byteCount: Int) throws(SystemError) {
        guard retrying({ ftruncate(raw, off_t(byteCount)) }) == 0 else {
            throw SystemError(call: "ftruncate", path: path)
        }
    }

    package func status() throws(SystemError) -> FileStatus {
        var status = stat()
        guard fstat(raw, &status) == 0 else { throw SystemError(call: "fstat", path: path) }
        return FileStatus(status)
    }

    /// Sets the permission bits.
    package func setMode(_ mode: mode_t) throws(SystemError) {
        guard fchmod(raw, mode) == 0 else { throw SystemError(call: "fchmod", path: path) }
    }

    /// Sets the modification time, and the access time with it.
    package func setModified(_ time: Timestamp) throws(SystemError) {
        let value = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        let times = [value, value]
        guard futimens(raw, times) == 0 else { throw SystemError(call: "futimens", path: path) }
    }

    /// Tells the kernel how the file will be used (`POSIX_FADV_SEQUENTIAL`, `POSIX_FADV_DONTNEED`); never fails.
    package func advise(_ advice: CInt, offset: Int = 0, length: Int = 0) {
        _ = posix_fadvise(raw, off_t(offset), off_t(length), advice)
    }

    /// Takes the advisory lock without waiting; false when another process holds it.
    ///
    /// The C function is `flock`.
    package func tryLock() throws(SystemError) -> Bool {
        if retrying({ flock(raw, LOCK_EX | LOCK_NB) }) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw SystemError(call: "flock", path: path) }
        return false
    }
}

/// Repeats a call for as long as signals interrupt it.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// What `stat` says of a file.
package struct FileStatus: Equatable, Sendable {
    package enum Kind: Equatable, Sendable { case regular, directory, symbolicLink, other }

    package let kind: Kind
    package let byteCount: Int
    /// Permission bits, set-id bits included (mode & 0o7777).
    package let mode: mode_t
    package let userID: uid_t
    package let groupID: gid_t
    package let modified: Timestamp
    package let device: UInt
    package let inode: UInt

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        byteCount = Int(status.st_size)
        mode = status.st_mode & 0o7777
        userID = status.st_uid
        groupID = status.st_gid
        modified = Timestamp(status.st_mtim)
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }
}
