package import Bytes

/// Objects in memory, for tests of everything above a store.
package struct MemoryStore: ObjectStore {
    private struct Object {
        let bytes: [UInt8]
        let info: ObjectInfo
    }

    private struct State {
        var objects: [ObjectKey: Object] = [:]
        var writes = 0
    }

    package let location: String
    private let clock: @Sendable () -> Timestamp
    private let state = Locked(State())

    package init(name: String = "memory", clock: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        location = "memory://\(name)"
        self.clock = clock
    }

    package func put(
        _ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions
    ) async throws(StorageError) -> ObjectInfo {
        try check(key, "write")
        try checkCancellation("write", key)
        return try state.withLock { state throws(StorageError) in
            guard !options.mustNotExist || state.objects[key] == nil else { throw alreadyExists(key) }
            state.writes += 1
            let info = ObjectInfo(
                key: key, byteCount: bytes.count, modified: clock(), etag: "\"memory-\(state.writes)\"")
            state.objects[key] = Object(bytes: bytes, info: info)
            return info
        }
    }

    package func put(
        _ parts: [Part], at key: ObjectKey, _ options: PutOptions
    ) async throws(StorageError) -> ObjectInfo {
        var bytes: [UInt8] = []
        for part in parts { part.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return try await put(bytes, at: key, options)
    }

    package func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo) {
        try check(key, "write")
        let upload = MemoryUpload(key: key, pool: pool)
        let result = try await body(upload)
        return (result, try await put(upload.close(), at: key, options))
    }

    package func get(
        _ key: ObjectKey, limit: Int
    ) async throws(StorageError) -> (bytes: [UInt8], info: ObjectInfo) {
        let object = try object(key)
        guard object.bytes.count <= limit else {
            throw StorageError(
                .invalidRequest, operation: "read", key: key,
                detail: "the object has \(object.bytes.count) bytes, more than the \(limit) expected at most")
        }
        return (object.bytes, object.info)
    }

    @discardableResult
    package func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo {
        let object = try object(key)
        var offset = 0
        while offset < object.bytes.count {
            try checkCancellation("read", key)
            let part = try await pool.take()
            offset += part.append(object.bytes.span.bytes.extracting(droppingFirst: offset))
            try await receive(part)
        }
        return object.info
    }

    package func info(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo? {
        try check(key, "stat")
        return state.withLock { $0.objects[key]?.info }
    }

    package func list(
        prefix: String, recursive: Bool, startAfter: String?, limit: Int?
    ) async throws(StorageError) -> Listing {
        let found = state.withLock { state in
            state.objects.values.map(\.info).filter { info in
                begins(info.key.text, with: prefix) && startAfter.map { precedes($0, info.key.text) } ?? true
            }
        }
        var listing = Listing()
        for info in found.sorted(by: { $0.key < $1.key }) {
            let text = info.key.text
            let rest = text.utf8.index(text.startIndex, offsetBy: prefix.utf8.count)
            let slash = recursive ? nil : text.utf8[rest...].firstIndex(of: 0x2F)
            let folder = slash.map { String(text[...$0]) }
            if let folder, listing.folders.last.map({ ObjectKey($0) == ObjectKey(folder) }) ?? false { continue }
            if let limit, listing.objects.count + listing.folders.count >= limit {
                listing.isTruncated = true
                break
            }
            if let folder { listing.folders.append(folder) } else { listing.objects.append(info) }
        }
        return listing
    }

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [DeleteFailure] {
        var failures: [DeleteFailure] = []
        for key in keys {
            do throws(StorageError) {
                try check(key, "delete")
                state.withLock { _ = $0.objects.removeValue(forKey: key) }
            } catch {
                failures.append(DeleteFailure(key: key, error: error))
            }
        }
        return failures
    }

    private func object(_ key: ObjectKey) throws(StorageError) -> Object {
        try check(key, "read")
        guard let object = state.withLock({ $0.objects[key] }) else {
            throw StorageError(.notFound, operation: "read", key: key, detail: "there is no such object")
        }
        return object
    }

    private func check(_ key: ObjectKey, _ operation: String) throws(StorageError) {
        guard !key.text.isEmpty, !key.text.utf8.contains(0) else {
            throw StorageError(
                .invalidRequest, operation: operation, key: key, detail: "a key is not empty and holds no NUL")
        }
    }

    private func alreadyExists(_ key: ObjectKey) -> StorageError {
        StorageError(.alreadyExists, operation: "write", key: key, detail: "the object exists, and is left as it is")
    }
}

/// An upload into memory.
private final class MemoryUpload: ObjectUpload {
    private struct State {
        var bytes: [UInt8] = []
        var order = PartOrder()
        var failure: StorageError?
    }

    private let key: ObjectKey
    private let pool: PartPool
    private let state = Locked(State())

    init(key: ObjectKey, pool: PartPool) {
        self.key = key
        self.pool = pool
    }

    func append(_ part: Part) async throws {
        defer { pool.give(part) }
        try state.withLock { state throws(StorageError) in
            if let failure = state.failure { throw failure }
            do throws(StorageError) {
                try checkCancellation("write", key)
                try state.order.add(part, key)
            } catch {
                state.failure = error
                throw error
            }
            part.withUnsafeBytes { state.bytes.append(contentsOf: $0) }
        }
    }

    func close() throws(StorageError) -> [UInt8] {
        try state.withLock { state throws(StorageError) in
            if let failure = state.failure { throw failure }
            state.order.close()
            return state.bytes
        }
    }
}
