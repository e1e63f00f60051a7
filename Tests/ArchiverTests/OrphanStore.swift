import Bytes
import Storage

/// A store in memory in which killed writers have left multipart uploads.
struct OrphanStore: ObjectStore {
    private let base = MemoryStore()
    let uploads = Locked([UnfinishedUpload]())
    /// Whether uploads may be listed.
    var isListingAllowed = true

    var location: String { base.location }

    func leave(_ key: String) {
        uploads.withLock {
            $0.append(UnfinishedUpload(key: ObjectKey(key), uploadID: "\($0.count)", begun: Timestamp(seconds: 0)))
        }
    }

    func unfinishedUploads(prefix: String) async throws -> [UnfinishedUpload] {
        guard isListingAllowed else {
            throw StorageError(.permissionDenied, operation: "list uploads", key: "", status: 403, detail: "refused")
        }
        return uploads.withLock { $0.filter { $0.key.text.hasPrefix(prefix) } }
    }

    func abandon(_ upload: UnfinishedUpload) async throws { uploads.withLock { $0.removeAll { $0 == upload } } }

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
        try await base.download(key, pool: pool, ahead: ahead, receive)
    }

    func info(_ key: ObjectKey) async throws -> ObjectInfo? { try await base.info(key) }

    func list(prefix: String, recursive: Bool, startAfter: String?, limit: Int?) async throws -> Listing {
        try await base.list(prefix: prefix, recursive: recursive, startAfter: startAfter, limit: limit)
    }

    func delete(_ keys: [ObjectKey]) async throws -> [DeleteFailure] { try await base.delete(keys) }
}
