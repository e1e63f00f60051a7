package import Bytes

/// What a store says of an object.
package struct ObjectInfo: Equatable, Sendable {
    package let key: ObjectKey
    /// Stored bytes.
    package let byteCount: Int
    /// When the store took it; whole seconds on S3.
    package let modified: Timestamp
    /// The store's version mark, quotes included on S3.
    ///
    /// For the local directory: device, inode, size and time.
    package let etag: String?

    package init(key: ObjectKey, byteCount: Int, modified: Timestamp, etag: String?) {
        self.key = key
        self.byteCount = byteCount
        self.modified = modified
        self.etag = etag
    }
}

/// What one level of a listing holds, sorted by key.
package struct Listing: Equatable, Sendable {
    package var objects: [ObjectInfo]
    /// Common prefixes, each with its closing slash; only when the listing was asked not to recurse.
    package var folders: [String]
    /// True when `limit` ended the listing before the store had no more.
    package var isTruncated: Bool

    package init(objects: [ObjectInfo] = [], folders: [String] = [], isTruncated: Bool = false) {
        self.objects = objects
        self.folders = folders
        self.isTruncated = isTruncated
    }
}

/// How an object may be written.
package struct PutOptions: Equatable, Sendable {
    /// True: never replace.
    ///
    /// An object under the key makes the write fail with `alreadyExists`, and stays as it is.
    package var mustNotExist: Bool

    package init(mustNotExist: Bool = false) { self.mustNotExist = mustNotExist }

    package static let replace = PutOptions()
    package static let create = PutOptions(mustNotExist: true)
}

/// A key that a batch delete could not remove.
package struct DeleteFailure: Equatable, Sendable {
    package let key: ObjectKey
    package let error: StorageError

    package init(key: ObjectKey, error: StorageError) {
        self.key = key
        self.error = error
    }
}

/// An upload under way: takes parts in order and owns each until it is stored.
///
/// All parts but the last must be full. The upload gives parts back to the pool it was opened with.
package protocol ObjectUpload: AnyObject, Sendable {
    /// Takes the next part. Returns when the upload has room for more, not when the part is stored.
    ///
    /// - Throws: `StorageError` when this or an earlier part failed; the upload is then lost.
    func append(_ part: Part) async throws
}

/// Objects under keys: S3, a local directory, memory.
///
/// Every store keeps the same promises, which `StoreConformance` in the tests runs over all of them:
/// * `put` and a finished upload are atomic and durable: when they return, the object is stored whole; when they
///   throw, the key holds what it held before, or (a lost answer) the new object whole. Never a part of it.
/// * what was written can be read and listed at once;
/// * keys may hold any Unicode but NUL; `a` and `a/b` may both be objects, except in a local directory, which refuses.
/// * listings are sorted bytewise and complete.
package protocol ObjectStore: Sendable {
    /// The place, for messages and for telling stores apart: `s3://bucket/prefix` or `file:///path`.
    var location: String { get }

    /// Stores `bytes` under `key` in one request, with a checksum that the store verifies where it can.
    func put(_ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo

    /// Stores the parts, joined, under `key` in one request. The parts stay the caller's.
    func put(_ parts: [Part], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo

    /// Stores a stream of parts of `pool`'s size: in one request when there is only one part, else as a multipart
    /// upload with parts in flight at once. Completes when `body` returns; aborts, leaving nothing, when it throws
    /// or the task is cancelled.
    func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo)

    /// The whole of a small object, and what the store says of it.
    ///
    /// - Throws: `StorageError` with `invalidRequest` when it is longer than `limit` bytes; `notFound`.
    func get(_ key: ObjectKey, limit: Int) async throws -> (bytes: [UInt8], info: ObjectInfo)

    /// Reads an object in order, in parts from `pool`, `ahead` of them in flight; a broken transfer is resumed where
    /// it broke, and a change of the object in between is an error. `receive` owns each part and gives it back.
    @discardableResult
    func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo

    /// What the store says of an object; nil when it is not there.
    func info(_ key: ObjectKey) async throws -> ObjectInfo?

    /// Objects whose key begins with `prefix` and comes after `startAfter`, paging on until there are no more or
    /// `limit` entries were found.
    ///
    /// `prefix` is any text, not only a folder. Without `recursive`, keys with a further `/` are folded into
    /// `folders`. `startAfter` is a key, exclusive, that need not exist. `limit` counts folders too; nil for all.
    func list(prefix: String, recursive: Bool, startAfter: String?, limit: Int?) async throws -> Listing

    /// Removes objects; an absent one counts as removed. Returns the keys that could not be removed.
    func delete(_ keys: [ObjectKey]) async throws -> [DeleteFailure]

    /// Multipart uploads under way, or left by killed writers, whose key begins with `prefix`.
    ///
    /// They are no objects: no listing shows them, and their parts take room until somebody ends them. MinIO lists
    /// only those of a whole key, and removes forgotten ones after a day by itself.
    func unfinishedUploads(prefix: String) async throws -> [UnfinishedUpload]

    /// Ends an upload and drops its parts; a writer still at work fails. One that is gone already is no error.
    func abandon(_ upload: UnfinishedUpload) async throws
}

extension ObjectStore {
    package func list(prefix: String, recursive: Bool = true) async throws -> Listing {
        try await list(prefix: prefix, recursive: recursive, startAfter: nil, limit: nil)
    }
}
