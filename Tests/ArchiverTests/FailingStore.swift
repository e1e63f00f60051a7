import Bytes
import Storage

/// A store whose downloads of parts break after the first part, a number of times.
struct FailingStore: ObjectStore {
    private let base: MemoryStore
    private let failures: Locked<Int>

    init(_ base: MemoryStore, failures: Int) {
        self.base = base
        self.failures = Locked(failures)
    }

    var location: String { base.location }

    func put(_ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await base.put(bytes, at: key, options)
    }

    func put(_ parts: [Part], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await base.put(parts, at: key, options)
    }

    func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo) {
        try await base.withUpload(to: key, options, pool: pool, body)
    }

    func get(_ key: ObjectKey, limit: Int) async throws -> (bytes: [UInt8], info: ObjectInfo) {
        try await base.get(key, limit: limit)
    }

    func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo {
        let info = try await base.download(key, pool: pool, ahead: ahead, receive)
        let breaks = failures.withLock { failures -> Bool in
            guard key.name.hasPrefix("part_"), failures > 0 else { return false }
            failures -= 1
            return true
        }
        guard !breaks else {
            throw StorageError(.unavailable, operation: "GET", key: key, detail: "connection reset")
        }
        return info
    }

    func info(_ key: ObjectKey) async throws -> ObjectInfo? { try await base.info(key) }

    func list(prefix: String, recursive: Bool, startAfter: String?, limit: Int?) async throws -> Listing {
        try await base.list(prefix: prefix, recursive: recursive, startAfter: startAfter, limit: limit)
    }

    func delete(_ keys: [ObjectKey]) async throws -> [DeleteFailure] { try await base.delete(keys) }
}
