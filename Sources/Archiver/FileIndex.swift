import Bytes
import Digests
import Repository
import Storage

/// The files metadata of a full backup, as far as a restore needs it.
final class FileIndex {
    let backup: String
    private(set) var files = ListedFiles()
    private var sets: [String: Int] = [:]
    /// By the file's number: whether a set has it.
    private var isInSet: [Bool] = []
    private var covered = 0
    private var reader = FilesMetadataReader(object: "")
    private var failure: (any Error)?

    init(backup: String) { self.backup = backup }

    func add(_ entry: FilesMetadataEntry) throws {
        switch entry {
        case .file(let file):
            guard !file.isIncremented, !file.isSkipped else {
                throw ArchiverError(
                    .corrupted,
                    """
                    \(Layout.filesMetadata(backup)): \(file.path) is \(file.isSkipped ? "skipped" : "an increment"), \
                    in a full backup: the document is damaged or another backup's
                    """)
            }
            var expected = ExpectedFile()
            if file.modified.instant != .unset { expected.modified = file.modified.instant }
            expected.byteCount = file.byteCount
            expected.checksum = file.crc32c
            let path = try MemberPath(memberName: file.path)
            // WAL-G's remote mode lists these too; they are read and written apart.
            guard path != .control, path != .backupLabel, path != .tablespaceMap else { return }
            files.set(path, expected)
        case .tar(let name): sets[name] = sets[name] ?? 0
        case .tarMember(let path, let tar):
            // A set may list files that vanished; those are not in `files`, which come first in the document.
            let path = try MemberPath(memberName: path)
            guard let number = files.number(of: path) else { return }
            sets[tar, default: 0] += 1
            if isInSet.count <= number {
                isInSet.append(contentsOf: repeatElement(false, count: files.count - isInSet.count))
            }
            if !isInSet[number] { covered += 1 }
            isInSet[number] = true
        case .database: break
        }
    }

    /// The sets with the numbers of their files, and whether every file is in one.
    func tarSets() -> (sets: [String: Int], areComplete: Bool) {
        (sets, !files.isEmpty && covered == files.count)
    }

    /// Streams `files_metadata.json`, and compares it with what the sentinel recorded of it.
    func read(
        from store: any ObjectStore, recorded: [ObjectKey: (byteCount: Int, digest: [UInt8])], isNeeded: Bool
    ) async throws {
        let key = Layout.filesMetadata(backup)
        guard try await store.info(key) != nil else {
            guard isNeeded else { return }
            throw ArchiverError(
                .corrupted, "\(key) is missing: without it nobody can tell whether \(backup) is whole")
        }
        let digest = MessageDigest()
        let pool = PartPool(partSize: 1 << 20, limit: 3)
        reader = FilesMetadataReader(object: key.text)
        _ = try await store.download(key, pool: pool, ahead: 1) { part in
            defer { pool.give(part) }
            try part.withBytes { bytes in
                digest.update(bytes)
                try take(bytes)
            }
        }
        try reader.finish()
        if let recorded = recorded[key], recorded.digest != digest.finish() {
            throw ArchiverError(.corrupted, "\(key): the SHA-256 is not the one the backup was made with")
        }
    }

    private func take(_ bytes: RawSpan) throws {
        do {
            try reader.update(bytes) { entry throws(RepositoryError) in
                do {
                    try add(entry)
                } catch {
                    failure = error
                    throw RepositoryError(.damaged, detail: "see the failure kept")
                }
            }
        } catch {
            throw failure ?? error
        }
    }
}
