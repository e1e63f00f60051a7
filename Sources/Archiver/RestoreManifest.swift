import Bytes
import Digests
import Repository
import Storage
import Streams

/// PostgreSQL's `backup_manifest`, put beside the restored files so that `pg_verifybackup` can check them.
///
/// WAL-G's backups have none, and a part of a backup would only be found incomplete.
struct RestoreManifest {
    private static let name = "backup_manifest"

    let backup: BackupDocuments
    let tree: RestoreTree
    let syncs: Bool

    /// Writes the manifest, if the backup was made with one.
    ///
    /// - Throws: `ArchiverError` with `corrupted` when its bytes are not those the sentinel records; `StorageError`.
    func write(from store: any ObjectStore) async throws {
        guard let recorded = backup.sentinel.integrity?.objects.first(where: { $0.name == Self.name }) else { return }
        let executor = BlockingExecutor(threads: 1)
        try await withTaskExecutorPreference(executor) { try await write(recorded, from: store) }
    }

    private func write(_ recorded: BackupIntegrity.StoredObject, from store: any ObjectStore) async throws {
        let key = Layout.manifest(backup.name)
        let temporary = Self.name + ".wals_incomplete"
        let file = try Target(tree.root.createFile(temporary))
        let digest = MessageDigest()
        let pool = PartPool(partSize: FetchStream.partSize, limit: FetchStream.ahead + 1)
        do {
            try await ObjectReading.read(key, .none, from: store, pool: pool) { bytes in
                digest.update(bytes)
                try file.descriptor.write(bytes)
            }
        } catch let error as StorageError where error.kind == .notFound {
            throw ArchiverError(.corrupted, "\(key) is missing: the backup was made with it")
        }
        let found = digest.finish()
        guard found == recorded.sha256 else {
            throw ArchiverError(
                .corrupted,
                """
                \(key): the SHA-256 of the stored bytes is \(Hex.encode(found)), the backup was made with \
                \(Hex.encode(recorded.sha256))
                """)
        }
        if let owner = tree.owner { try owner.apply(to: file.descriptor) }
        if syncs { try file.descriptor.sync() }
        try tree.root.rename(temporary, to: Self.name)
        if syncs { try tree.root.sync() }
    }

    /// A class, so that the closure of a download may hold the file.
    private final class Target {
        let descriptor: FileDescriptor

        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }
}
