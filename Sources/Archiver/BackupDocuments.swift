import Bytes
import Digests
import Repository
import Storage
import Streams

/// The documents of one full backup, and what they say of its files and objects.
struct BackupDocuments: Sendable {
    let name: String
    let sentinel: Sentinel
    /// Nil when the backup does not list its files.
    let files: [MemberPath: ExpectedFile]?
    let plan: RestorePlan

    /// A sentinel is small, but those of WAL-G 1 hold the list of files.
    private static let sentinelLimit = 1 << 30

    /// Finds the backup's name.
    static func select(_ selection: BackupSelection, in store: any ObjectStore) async throws -> String {
        let listing = try await store.list(prefix: Layout.backupsFolder, recursive: false)
        let backups = listing.objects.compactMap { object in
            Layout.backup(ofSentinel: object.key).map { (name: $0, modified: object.modified) }
        }
        switch selection {
        case .latest:
            // Times of S3 have whole seconds; of two in one second the later name is the later backup.
            let newest = backups.max { left, right in
                left.modified == right.modified ? left.name < right.name : left.modified < right.modified
            }
            guard let newest else { throw RepositoryError.noBackups }
            return newest.name
        case .name(let name):
            guard backups.contains(where: { $0.name == name }) else { throw RepositoryError.noBackup(named: name) }
            return name
        case .userData(let wanted):
            var found: [String] = []
            for backup in backups {
                let sentinel = try await readSentinel(backup.name, in: store)
                if let data = sentinel.userData, data.isEquivalent(to: wanted) { found.append(backup.name) }
            }
            guard let only = found.first else {
                throw RepositoryError(.notFound, detail: "no backup has the user data of --target-user-data")
            }
            guard found.count == 1 else {
                throw RepositoryError(
                    .ambiguous,
                    detail: "several backups have this user data: \(found.joined(separator: ", ")). Name one of them")
            }
            return only
        }
    }

    private static func readSentinel(_ name: String, in store: any ObjectStore) async throws -> Sentinel {
        let key = Layout.sentinel(name)
        let (bytes, _) = try await store.get(key, limit: sentinelLimit)
        return try Sentinel(parsing: bytes, object: key.text)
    }

    /// Reads and checks everything that can be known without writing.
    static func read(_ name: String, mask: FileMask?, in store: any ObjectStore) async throws -> BackupDocuments {
        let sentinel = try await readSentinel(name, in: store)
        try refuseDelta(name, sentinel)
        if let encryption = sentinel.integrity?.encryption {
            throw ArchiverError(
                .configuration,
                """
                \(name) is encrypted (\(encryption.scheme), key \(encryption.keyID)): encrypted backups cannot be \
                read by this version
                """)
        }
        var facts = RestorePlan.Facts(
            backup: name, folder: Layout.tarFolder(name),
            objects: try await store.list(prefix: Layout.tarFolder(name), recursive: false).objects)
        for object in sentinel.integrity?.objects ?? [] {
            facts.recorded[ObjectKey(Layout.folder(name) + object.name)] = (object.byteCount, object.sha256)
        }
        let index = FileIndex(backup: name)
        if let embedded = sentinel.embeddedFiles {
            for file in embedded.files.values { try index.add(.file(file)) }
            for (tar, members) in embedded.tarFileSets {
                try index.add(.tar(tar))
                for path in members { try index.add(.tarMember(path: path, tar: tar)) }
            }
        } else if !sentinel.isFilesMetadataDisabled {
            try await index.read(from: store, recorded: facts.recorded, isNeeded: sentinel.version >= 2)
        }
        let files = index.files.isEmpty ? nil : index.files
        guard files != nil || sentinel.isFilesMetadataDisabled || sentinel.version < 2 else {
            throw ArchiverError(.corrupted, "\(Layout.filesMetadata(name)) lists no files: it is damaged")
        }
        if let files, let mask, !files.keys.contains(where: mask.matches) {
            throw ArchiverError(.usage, "--mask '\(mask.pattern)' matches no file of \(name)")
        }
        (facts.tarSets, facts.tarSetsAreComplete) = index.tarSets()
        return BackupDocuments(name: name, sentinel: sentinel, files: files, plan: try RestorePlan(facts))
    }

    /// Deltas need their chain, which this version does not restore.
    private static func refuseDelta(_ name: String, _ sentinel: Sentinel) throws(ArchiverError) {
        if let delta = sentinel.delta {
            throw ArchiverError(
                .configuration,
                """
                \(name) is a delta: it needs \(delta.parent) and the chain down to \(delta.full), and this version \
                restores full backups only. Nothing was written; \(delta.full) can be restored
                """)
        }
        guard BackupName(name)?.isDelta != true else {
            throw ArchiverError(
                .corrupted, "\(Layout.sentinel(name)): the name is a delta's, the sentinel says nothing of a parent")
        }
    }
}
