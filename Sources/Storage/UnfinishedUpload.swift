package import Bytes

/// A multipart upload that a store keeps the parts of: its writer is at work, or was killed.
package struct UnfinishedUpload: Equatable, Sendable {
    package let key: ObjectKey
    /// The store's name for it.
    package let uploadID: String
    package let begun: Timestamp

    package init(key: ObjectKey, uploadID: String, begun: Timestamp) {
        self.key = key
        self.uploadID = uploadID
        self.begun = begun
    }
}

extension ObjectStore {
    /// Stores without multipart uploads have none.
    package func unfinishedUploads(prefix: String) async throws -> [UnfinishedUpload] { [] }

    /// Stores without multipart uploads have none.
    package func abandon(_ upload: UnfinishedUpload) async throws {}

    /// Ends the unfinished uploads whose key begins with `prefix` and passes `isOrphan`; says how many those were.
    @discardableResult
    package func abandonUploads(
        prefix: String, where isOrphan: (ObjectKey) -> Bool = { _ in true }
    ) async throws -> Int {
        let uploads = try await unfinishedUploads(prefix: prefix).filter { isOrphan($0.key) }
        for upload in uploads { try await abandon(upload) }
        return uploads.count
    }
}
