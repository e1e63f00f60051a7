package import Bytes

/// Objects as files of a directory, laid out as WAL-G's `fs` storage does (walg.md §2.6).
///
/// A write goes to a hidden temporary name in the same directory, is made durable, and gets its name in one step; then
/// the directories are made durable. Files have mode 0600, directories 0700. The directory itself must exist: one that
/// is missing is more likely a forgotten mount than a new archive. All disk work is done on threads of the store's own.
package struct LocalStore: ObjectStore {
    package let location: String
    private let directory: LocalDirectory
    private let disk: BlockingExecutor

    /// A store in the directory `root`.
    ///
    /// Temporary files of dead writers are removed when they were not touched for `debrisGrace`; WAL-G's writers take
    /// no lock, so their files need that time.
    package init(
        root: String, threads: Int = 4, debrisGrace: Duration = .seconds(3600),
        clock: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        var path = Path.absolute(root)
        while path.utf8.count > 1, path.utf8.last == 0x2F { path.unicodeScalars.removeLast() }
        location = "file://\(path)"
        directory = LocalDirectory(root: path, debrisGrace: debrisGrace, clock: clock)
        disk = BlockingExecutor(threads: threads)
    }

    package func put(
        _ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions
    ) async throws(StorageError) -> ObjectInfo {
        try await onDisk { () throws(StorageError) in
            try directory.write(key, options) { file throws(StorageError) in
                try directory.call("write", key) { () throws(SystemError) in try file.write(bytes.span.bytes) }
            }
        }
    }

    package func put(
        _ parts: [Part], at key: ObjectKey, _ options: PutOptions
    ) async throws(StorageError) -> ObjectInfo {
        try await onDisk { () throws(StorageError) in
            try directory.write(key, options) { file throws(StorageError) in
                for part in parts {
                    try checkCancellation("write", key)
                    try directory.call("write", key) { () throws(SystemError) in
                        try part.withBytes { bytes throws(SystemError) in try file.write(bytes) }
                    }
                }
            }
        }
    }

    package func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo) {
        let file = try await onDisk { () throws(StorageError) in try directory.create(key, options) }
        let upload = LocalUpload(file: file, key: key, pool: pool, disk: disk)
        do {
            let result = try await body(upload)
            let info = try await onDisk { () throws(StorageError) in
                try upload.close()
                try checkCancellation("write", key)
                return try directory.publish(file, as: key, options)
            }
            return (result, info)
        } catch {
            await onDisk { directory.abandon(file, key) }
            throw error
        }
    }

    package func get(
        _ key: ObjectKey, limit: Int
    ) async throws(StorageError) -> (bytes: [UInt8], info: ObjectInfo) {
        try await onDisk { () throws(StorageError) in
            let object = try directory.open(key)
            guard object.info.byteCount <= limit else {
                throw StorageError(
                    .invalidRequest, operation: "read", key: key,
                    detail: "the object has \(object.info.byteCount) bytes, more than the \(limit) expected at most")
            }
            return (try object.readAll(), object.info)
        }
    }

    @discardableResult
    package func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo {
        let object = try await onDisk { () throws(StorageError) in try directory.open(key) }
        var offset = 0
        while offset < object.info.byteCount {
            try checkCancellation("read", key)
            let part = try await pool.take()
            do throws(StorageError) {
                try await onDisk { () throws(StorageError) in try object.read(into: part, at: offset) }
            } catch {
                pool.give(part)
                throw error
            }
            offset += part.count
            try await receive(part)
        }
        try await onDisk { () throws(StorageError) in try object.checkUnchanged() }
        return object.info
    }

    package func info(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo? {
        try await onDisk { () throws(StorageError) in try directory.info(key) }
    }

    package func list(
        prefix: String, recursive: Bool, startAfter: String?, limit: Int?
    ) async throws(StorageError) -> Listing {
        try await onDisk { () throws(StorageError) in
            try directory.checkRoot("list")
            return try LocalListing(
                root: directory.root, prefix: prefix, recursive: recursive, startAfter: startAfter, limit: limit
            ).run()
        }
    }

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [DeleteFailure] {
        try await onDisk { () throws(StorageError) in try directory.delete(keys) }
    }

    private func onDisk<Result, Failure: Error>(
        _ work: () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await withTaskExecutorPreference(disk) { () async throws(Failure) in try work() }
    }
}

/// Ends work that nobody waits for any more.
func checkCancellation(_ operation: String, _ key: ObjectKey) throws(StorageError) {
    guard Task.isCancelled else { return }
    throw StorageError(.cancelled, operation: operation, key: key, detail: "cancelled")
}
