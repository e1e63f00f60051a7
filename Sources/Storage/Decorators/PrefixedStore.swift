package import Bytes

/// A folder of another store, as a store: every key gets the prefix, every answer loses it.
package struct PrefixedStore: ObjectStore {
    private let base: any ObjectStore
    /// Empty, or ending in one slash.
    private let prefix: String

    /// Keys below `prefix` of `base`; slashes around the prefix do not matter, and an empty one changes nothing.
    package init(_ base: any ObjectStore, prefix: String) {
        let trimmed = prefix.utf8.drop { $0 == 0x2F }
        let end = trimmed.lastIndex { $0 != 0x2F }
        self.base = base
        self.prefix = end.map { String(prefix[trimmed.startIndex...$0]) + "/" } ?? ""
    }

    package var location: String { prefix.isEmpty ? base.location : "\(base.location)/\(prefix.dropLast())" }

    package func put(_ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await translating { below(try await base.put(bytes, at: above(key), options)) }
    }

    package func put(_ parts: [Part], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await translating { below(try await base.put(parts, at: above(key), options)) }
    }

    package func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo) {
        try await translating {
            let (result, info) = try await base.withUpload(to: above(key), options, pool: pool, body)
            return (result, below(info))
        }
    }

    package func get(_ key: ObjectKey, limit: Int) async throws -> (bytes: [UInt8], info: ObjectInfo) {
        try await translating {
            let (bytes, info) = try await base.get(above(key), limit: limit)
            return (bytes, below(info))
        }
    }

    @discardableResult
    package func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo {
        try await translating {
            below(try await base.download(above(key), pool: pool, ahead: ahead, receive))
        }
    }

    package func info(_ key: ObjectKey) async throws -> ObjectInfo? {
        try await translating { try await base.info(above(key)).map(below) }
    }

    package func list(
        prefix inner: String, recursive: Bool, startAfter: String?, limit: Int?
    ) async throws -> Listing {
        try await translating {
            var listing = try await base.list(
                prefix: prefix + inner, recursive: recursive, startAfter: startAfter.map { prefix + $0 }, limit: limit)
            listing.objects = listing.objects.map(below)
            listing.folders = listing.folders.map(below)
            return listing
        }
    }

    package func delete(_ keys: [ObjectKey]) async throws -> [DeleteFailure] {
        try await translating {
            try await base.delete(keys.map(above)).map { failure in
                DeleteFailure(key: ObjectKey(below(failure.key.text)), error: below(failure.error))
            }
        }
    }

    package func unfinishedUploads(prefix inner: String) async throws -> [UnfinishedUpload] {
        try await translating {
            try await base.unfinishedUploads(prefix: prefix + inner).map { upload in
                UnfinishedUpload(
                    key: ObjectKey(below(upload.key.text)), uploadID: upload.uploadID, begun: upload.begun)
            }
        }
    }

    package func abandon(_ upload: UnfinishedUpload) async throws {
        try await translating {
            try await base.abandon(
                UnfinishedUpload(key: above(upload.key), uploadID: upload.uploadID, begun: upload.begun))
        }
    }

    private func above(_ key: ObjectKey) -> ObjectKey { ObjectKey(prefix + key.text) }

    private func below(_ text: String) -> String {
        begins(text, with: prefix) ? String(text.utf8.dropFirst(prefix.utf8.count)) ?? text : text
    }

    private func below(_ info: ObjectInfo) -> ObjectInfo {
        ObjectInfo(
            key: ObjectKey(below(info.key.text)), byteCount: info.byteCount, modified: info.modified, etag: info.etag)
    }

    private func below(_ error: StorageError) -> StorageError {
        StorageError(
            error.kind, operation: error.operation, key: ObjectKey(below(error.key.text)), status: error.status,
            serverCode: error.serverCode, requestID: error.requestID, attempts: error.attempts, detail: error.detail)
    }

    private func translating<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as StorageError {
            throw below(error)
        }
    }
}
