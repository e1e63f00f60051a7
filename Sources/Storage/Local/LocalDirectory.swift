import Bytes
import Glibc

/// The blocking work of a `LocalStore`: system calls only, each function runs start to end on one thread.
struct LocalDirectory: Sendable {
    /// Absolute path of the directory that holds the keys.
    let root: String
    /// Debris must be this old before a sweep removes it.
    let debrisGrace: Duration
    let clock: @Sendable () -> Timestamp
    /// When each directory was swept last; by its path.
    private let sweeps = Locked<[String: Timestamp]>([:])

    init(root: String, debrisGrace: Duration, clock: @escaping @Sendable () -> Timestamp) {
        self.root = root
        self.debrisGrace = debrisGrace
        self.clock = clock
    }

    func checkRoot(_ operation: String) throws(StorageError) {
        let status: FileStatus?
        do throws(SystemError) {
            status = try FileSystem.status(root)
        } catch {
            throw StorageError(error, operation: operation)
        }
        guard status?.kind == .directory else {
            let what = status == nil ? "is not there" : "is not a directory"
            throw StorageError(
                .noSuchBucket, operation: operation,
                detail: "the storage directory \(root) \(what); create it, or mount its file system")
        }
    }

    /// The file that stands for the key.
    func path(_ key: ObjectKey, _ operation: String) throws(StorageError) -> String {
        if let objection = LocalPath.objection(to: key) {
            throw StorageError(.invalidRequest, operation: operation, key: key, detail: objection)
        }
        return Path.join(root, key.text)
    }

    // MARK: Writing

    /// Opens a temporary file beside the place of `key`, making the directories above it.
    func create(_ key: ObjectKey, _ options: PutOptions) throws(StorageError) -> TemporaryFile {
        let path = try path(key, "write")
        try checkRoot("write")
        let directory = Path.parent(path)
        if let there = try call("write", key, { () throws(SystemError) in try FileSystem.status(path) }) {
            guard there.kind != .directory else { throw isFolder(key, path) }
            guard !options.mustNotExist else { throw alreadyExists(key, path) }
        }
        // A deletion in another process may remove a directory between its making and its use.
        for _ in 1...100 {
            try makeDirectories(above: key)
            do throws(SystemError) {
                let file = try TemporaryFile(for: key.name, in: directory, now: clock())
                sweepNowAndThen(directory)
                return file
            } catch  where error.code == ENOENT {
                try checkRoot("write")
            } catch {
                throw StorageError(error, operation: "write", key: key)
            }
        }
        throw StorageError(.unavailable, operation: "write", key: key, detail: "\(directory) keeps vanishing")
    }

    /// Sweeps at the first write into a directory, and again when a sixtieth of the grace is over.
    private func sweepNowAndThen(_ directory: String) {
        let now = clock()
        let isDue = sweeps.withLock { sweeps in
            if let last = sweeps[directory], last.duration(to: now) < debrisGrace / 60 { return false }
            sweeps[directory] = now
            return true
        }
        if isDue { TemporaryFile.sweep(directory, grace: debrisGrace, now: now) }
    }

    /// Makes the file the object, durably; the temporary name is gone afterwards, whatever happens.
    func publish(
        _ file: TemporaryFile, as key: ObjectKey, _ options: PutOptions
    ) throws(StorageError) -> ObjectInfo {
        defer { file.discard() }
        let path = try path(key, "write")
        let status: FileStatus
        do throws(SystemError) {
            if options.mustNotExist {
                guard let created = try file.publish(creating: path) else {
                    throw SystemError(call: "link", path: path, code: EEXIST)
                }
                status = created
            } else {
                status = try file.publish(replacing: path)
            }
        } catch  where [EEXIST, EISDIR, ENOTEMPTY].contains(error.code) {
            let isDirectory = (try? FileSystem.status(path))??.kind == .directory
            throw isDirectory ? isFolder(key, path) : alreadyExists(key, path)
        } catch {
            throw StorageError(error, operation: "write", key: key)
        }
        file.discard()
        try syncDirectories(above: key)
        return ObjectInfo(key, status)
    }

    /// Writes an object in one go: `body` fills the file.
    func write(
        _ key: ObjectKey, _ options: PutOptions, _ body: (TemporaryFile) throws(StorageError) -> Void
    ) throws(StorageError) -> ObjectInfo {
        let file = try create(key, options)
        do throws(StorageError) {
            try body(file)
            try checkCancellation("write", key)
            return try publish(file, as: key, options)
        } catch {
            abandon(file, key)
            throw error
        }
    }

    /// Leaves nothing of a write that failed, nor of the folders made for it.
    func abandon(_ file: TemporaryFile, _ key: ObjectKey) {
        file.discard()
        _ = removeEmptied(Path.parent(Path.join(root, key.text)))
    }

    private func makeDirectories(above key: ObjectKey) throws(StorageError) {
        var path = root
        for component in key.text.utf8.split(separator: 0x2F).dropLast() {
            path = Path.join(path, String(component) ?? "")
            do throws(SystemError) {
                try FileSystem.makeDirectory(path)
            } catch  where error.code == EEXIST {
                let status = try call("write", key) { () throws(SystemError) in try FileSystem.status(path) }
                guard let status, status.kind != .directory else { continue }
                throw StorageError(
                    .invalidRequest, operation: "write", key: key,
                    detail:
                        "\(path) is an object; a local directory cannot hold both an object and a folder of one name")
            } catch  where error.code == ENOENT {
                // Its parent was removed by a deletion: the file's creation fails, and all is made again.
                return
            } catch {
                throw StorageError(error, operation: "write", key: key)
            }
        }
    }

    /// Makes the name of the object durable, and those of all folders above it: whoever made them may not have got to it.
    private func syncDirectories(above key: ObjectKey) throws(StorageError) {
        var directory = Path.parent(Path.join(root, key.text))
        while true {
            try call("write", key) { () throws(SystemError) in try sync(directory) }
            if directory.utf8.count <= root.utf8.count { return }
            directory = Path.parent(directory)
        }
    }

    private func sync(_ directory: String) throws(SystemError) {
        do throws(SystemError) {
            try FileSystem.syncDirectory(directory)
        } catch  where error.code == EINVAL || error.code == EBADF {
            // Some network and FUSE file systems have no such thing for directories; PostgreSQL passes over it too.
            return
        }
    }

    private func isFolder(_ key: ObjectKey, _ path: String) -> StorageError {
        StorageError(
            .invalidRequest, operation: "write", key: key,
            detail: "\(path) is a folder; a local directory cannot hold both an object and a folder of one name")
    }

    private func alreadyExists(_ key: ObjectKey, _ path: String) -> StorageError {
        StorageError(.alreadyExists, operation: "write", key: key, detail: "\(path) exists, and is left as it is")
    }

    // MARK: Reading

    func info(_ key: ObjectKey) throws(StorageError) -> ObjectInfo? {
        let path = try path(key, "stat")
        let status = try call("stat", key) { () throws(SystemError) in try FileSystem.status(path) }
        guard let status else {
            // "Not there" is an answer people act on; a storage that is not mounted must not give it.
            try checkRoot("stat")
            return nil
        }
        return status.kind == .regular ? ObjectInfo(key, status) : nil
    }

    func open(_ key: ObjectKey) throws(StorageError) -> OpenObject {
        let path = try path(key, "read")
        do throws(SystemError) {
            let file = try FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK)
            let status = try file.status()
            guard status.kind == .regular else { throw SystemError(call: "open", path: path, code: ENOENT) }
            return OpenObject(info: ObjectInfo(key, status), file: file)
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            try checkRoot("read")
            throw StorageError(.notFound, operation: "read", key: key, detail: "there is no file \(path)")
        } catch {
            throw StorageError(error, operation: "read", key: key)
        }
    }

    // MARK: Removing

    func delete(_ keys: [ObjectKey]) throws(StorageError) -> [DeleteFailure] {
        try checkRoot("delete")
        var failures: [DeleteFailure] = []
        // Folders are looked after once a batch: an archive has a hundred thousand files in one.
        var parents: Set<String> = []
        for key in keys {
            do throws(StorageError) {
                let path = try path(key, "delete")
                do throws(SystemError) {
                    if try FileSystem.removeFile(path) { parents.insert(Path.parent(path)) }
                } catch  where error.code == EISDIR || error.code == ENOTDIR {
                    continue
                } catch {
                    throw StorageError(error, operation: "delete", key: key)
                }
            } catch {
                failures.append(DeleteFailure(key: key, error: error))
            }
        }
        for directory in Set(parents.map(removeEmptied)) {
            do throws(SystemError) {
                try sync(directory)
            } catch  where error.code == ENOENT {
                // Emptied by a later folder of this batch, or by another process.
                continue
            } catch {
                throw StorageError(error, operation: "delete")
            }
        }
        return failures
    }

    /// Removes a directory when it is empty, and then those above it, but never the root; says where it stopped.
    private func removeEmptied(_ directory: String) -> String {
        var directory = directory
        while directory.utf8.count > root.utf8.count {
            if (try? FileSystem.removeEmptyDirectory(directory)) == nil {
                TemporaryFile.sweep(directory, grace: debrisGrace, now: clock())
                guard (try? FileSystem.removeEmptyDirectory(directory)) != nil else { break }
            }
            directory = Path.parent(directory)
        }
        return directory
    }

    /// Runs system calls, telling their failure as this room's error.
    func call<Result>(
        _ operation: String, _ key: ObjectKey, _ body: () throws(SystemError) -> Result
    ) throws(StorageError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw StorageError(error, operation: operation, key: key)
        }
    }
}

extension ObjectInfo {
    init(_ key: ObjectKey, _ status: FileStatus) {
        let nanos = String(status.modified.nanoseconds)
        let time = "\(status.modified.seconds)." + String(repeating: "0", count: 9 - nanos.count) + nanos
        self.init(
            key: key, byteCount: status.byteCount, modified: status.modified,
            etag: "\(status.device)-\(status.inode)-\(status.byteCount)-\(time)")
    }
}
