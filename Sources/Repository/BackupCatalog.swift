package import Bytes
package import Storage

/// The backups of a prefix, and their documents.
package struct BackupCatalog: Sendable {
    /// Sentinels of version 1 hold the list of files.
    private static let sentinelLimit = 512 << 20
    private static let metadataLimit = 64 << 20
    /// Documents read at once.
    private static let concurrency = 8

    private let store: any ObjectStore

    package init(_ store: any ObjectStore) { self.store = store }

    /// All backups, oldest sentinel first: one listing, no document opened.
    package func entries() async throws -> [BackupEntry] {
        let listing = try await store.list(prefix: Layout.backupsFolder, recursive: false)
        let entries = listing.objects.compactMap { object in
            Layout.backup(ofSentinel: object.key).map { BackupEntry(name: $0, modified: object.modified) }
        }
        return entries.sorted { ($0.modified, $0.name) < ($1.modified, $1.name) }
    }

    /// The backup of exactly this name.
    ///
    /// - Throws: `notFound` in WAL-G's words.
    package func entry(named name: String) async throws -> BackupEntry {
        guard !name.isEmpty, !name.contains("/"), let info = try await store.info(Layout.sentinel(name)) else {
            throw RepositoryError.noBackup(named: name)
        }
        return BackupEntry(name: name, modified: info.modified)
    }

    /// - Throws: `notFound` in WAL-G's words when the backup does not exist; `damaged`.
    package func sentinel(_ backup: String) async throws -> Sentinel {
        let key = Layout.sentinel(backup)
        guard let bytes = try await document(key, limit: Self.sentinelLimit) else {
            throw RepositoryError.noBackup(named: backup)
        }
        return try Sentinel(parsing: bytes, object: key.text)
    }

    /// - Throws: `notFound` when the document is not there, `damaged`.
    package func metadata(_ backup: String) async throws -> BackupMetadata {
        let key = Layout.metadata(backup)
        guard let metadata = try await metadataIfPresent(backup) else {
            throw RepositoryError(.notFound, object: key.text, detail: "is not there")
        }
        return metadata
    }

    /// Nil when the document is not there: the backup then counts as not permanent.
    package func metadataIfPresent(_ backup: String) async throws -> BackupMetadata? {
        let key = Layout.metadata(backup)
        guard let bytes = try await document(key, limit: Self.metadataLimit) else { return nil }
        return try BackupMetadata(parsing: bytes, object: key.text)
    }

    private func document(_ key: ObjectKey, limit: Int) async throws -> [UInt8]? {
        do {
            return try await store.get(key, limit: limit).bytes
        } catch let error as StorageError where error.kind == .notFound {
            return nil
        }
    }

    /// The newest backup, by start time where every backup tells it.
    ///
    /// A store's time of a sentinel says when the object was written, which a copied bucket changes; so what counts is
    /// the start in `metadata.json`, or in the sentinel where that is missing, among the backups of one cluster: that
    /// of the newest sentinel.
    ///
    /// - Throws: `notFound` in WAL-G's words when there is no backup.
    package func latest() async throws -> LatestBackup {
        let entries = try await entries()
        guard let newest = entries.last else { throw RepositoryError.noBackups }
        let byModified = LatestBackup(entry: newest, rule: .modified, newestModified: newest)
        let origins = try await map(entries) { entry in try await origin(of: entry.name) }
        guard let cluster = origins[entries.count - 1]?.systemIdentifier else { return byModified }
        var best: (entry: BackupEntry, start: Timestamp)?
        for (entry, origin) in zip(entries, origins) {
            guard let origin, let identifier = origin.systemIdentifier, origin.start != .unset else {
                return byModified
            }
            guard identifier == cluster else { continue }
            if let best, origin.start < best.start { continue }
            best = (entry, origin.start)
        }
        guard let best else { return byModified }
        return LatestBackup(entry: best.entry, rule: .startTime, newestModified: newest)
    }

    private struct Origin: Sendable {
        let systemIdentifier: UInt64?
        let start: Timestamp
    }

    /// Where and when a backup began; nil when its documents do not tell.
    private func origin(of backup: String) async throws -> Origin? {
        do {
            if let metadata = try await metadataIfPresent(backup) {
                return Origin(systemIdentifier: metadata.systemIdentifier, start: metadata.startTime)
            }
            let sentinel = try await sentinel(backup)
            return Origin(systemIdentifier: sentinel.systemIdentifier, start: sentinel.startTime)
        } catch is RepositoryError {
            return nil
        }
    }

    /// The one backup whose user data means the same as `userData`.
    ///
    /// - Throws: `notFound` in WAL-G's words; `ambiguous` with the names when there are several.
    package func entry(userData: JSONValue) async throws -> BackupEntry {
        let entries = try await entries()
        let matches = try await map(entries) { entry in
            var found = try await metadataIfPresent(entry.name)?.userData
            if found == nil { found = try await sentinel(entry.name).userData }
            return found?.isEquivalent(to: userData) == true
        }
        let found = zip(entries, matches).filter(\.1).map(\.0)
        guard let entry = found.first else {
            throw RepositoryError(.notFound, detail: "Requested backup was not found")
        }
        guard found.count == 1 else {
            let names = found.map(\.name).joined(separator: ", ")
            throw RepositoryError(
                .ambiguous, detail: "\(found.count) backups have this user data; name one of them: \(names)")
        }
        return entry
    }

    /// Results of `body` in the order of `entries`, a few at once.
    package func map<Result: Sendable>(
        _ entries: [BackupEntry], _ body: @escaping @Sendable (BackupEntry) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Int: Result] = [:]
            var next = 0
            func start() {
                guard next < entries.count else { return }
                let (index, entry) = (next, entries[next])
                next += 1
                group.addTask { (index, try await body(entry)) }
            }
            for _ in 0..<Self.concurrency { start() }
            while let (index, result) = try await group.next() {
                results[index] = result
                start()
            }
            return entries.indices.compactMap { results[$0] }
        }
    }
}
