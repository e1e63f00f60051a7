import Bytes
import Postgres
import Repository
import Storage

/// The documents of one full backup, and what they say of its files and objects.
struct BackupDocuments: Sendable {
    let name: String
    let sentinel: Sentinel
    /// Nil when the backup does not list its files.
    let files: ListedFiles?
    let plan: RestorePlan

    /// From the backup's start to its end in the WAL; nil when the sentinel does not tell the start.
    var duration: ClosedRange<LSN>? {
        guard let start = sentinel.startLSN else { return nil }
        return start...max(start, sentinel.finishLSN ?? LSN(.max))
    }

    /// Finds the backup's name.
    static func select(_ selection: BackupSelection, in store: any ObjectStore, _ log: Log) async throws -> String {
        let catalog = BackupCatalog(store)
        switch selection {
        case .latest:
            let latest = try await catalog.latest()
            if latest.entry != latest.newestModified {
                log.warning(
                    """
                    LATEST is \(latest.entry.name), the newest by start; \(latest.newestModified.name) was written to \
                    the store later
                    """)
            }
            log.info("LATEST backup is: '\(latest.entry.name)'")
            return latest.entry.name
        case .name(let name): return try await catalog.entry(named: name).name
        case .userData(let wanted): return try await catalog.entry(userData: wanted).name
        }
    }

    /// Reads and checks everything that can be known without writing.
    static func read(_ name: String, mask: FileMask?, in store: any ObjectStore) async throws -> BackupDocuments {
        let sentinel = try await BackupCatalog(store).sentinel(name)
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
        if let files, let mask, !(0..<files.count).contains(where: { mask.matches(files.path($0)) }) {
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
