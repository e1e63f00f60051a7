package import Bytes
import Glibc
import Postgres
import Repository
package import Storage
import Streams

/// Keeps two clusters out of one prefix: compares a cluster's system identifier with the one that owns the prefix.
///
/// The owner is named by the claim, a small object of ours; where there is none, by the backups that are there, or by
/// the WAL. What was found is remembered on this machine for an hour, so that a segment costs one request.
package struct ClaimGuard: Sendable {
    /// What says whose prefix it is.
    package enum Owner: Equatable, Sendable {
        case claim(UInt64)
        case backup(UInt64, name: String)
        case wal(UInt64, name: String)
        /// Nothing of a cluster is there.
        case nobody

        package var systemIdentifier: UInt64? {
            switch self {
            case .claim(let identifier), .backup(let identifier, _), .wal(let identifier, _): identifier
            case .nobody: nil
            }
        }
    }

    private static let hint = "claim"
    private static let hintAge: Duration = .seconds(3600)

    private let store: any ObjectStore
    private let state: LocalState
    private let log: Log

    package init(store: any ObjectStore, state: LocalState, log: Log) {
        self.store = store
        self.state = state
        self.log = log
    }

    /// Makes sure that the prefix is this cluster's, claiming it when it is nobody's.
    ///
    /// - Throws: `ArchiverError` of kind `configuration` naming both identifiers when it is another's.
    package func check(systemIdentifier: UInt64) async throws {
        // In a directory the claim is read each time: it costs nothing, and tells a file system that is not mounted.
        if isRemembered(systemIdentifier, within: Self.hintAge), !isLocal { return }
        var owner = try await owner()
        if owner == .nobody, isRemembered(systemIdentifier, within: nil) {
            throw ArchiverError(
                .configuration,
                "\(store.location) was claimed by this cluster, and now holds neither a claim nor anything else. Is the "
                    + "file system mounted, are bucket and prefix right? Nothing was stored. When it was emptied on "
                    + "purpose, run: wal-s claim --confirm")
        }
        if owner == .nobody || owner.systemIdentifier == systemIdentifier, !isClaim(owner) {
            let claim = ClusterClaim(
                systemIdentifier: systemIdentifier, claimedAt: .now(), hostname: Self.hostname(), tool: Tool.name)
            do {
                _ = try await store.put(claim.encoded(), at: Layout.claim, .create)
                log.info("the prefix \(store.location) now belongs to the cluster \(systemIdentifier)")
            } catch let error as StorageError where error.kind == .alreadyExists {
                log.debug("another run claimed \(store.location) at the same time")
            }
            owner = try await self.owner()
        }
        try compare(owner, systemIdentifier)
        try await proveConditionalWrites()
        remember(systemIdentifier)
    }

    /// Writes the claim's own bytes once more, never replacing: a store that takes that would take anything.
    ///
    /// - Throws: `ArchiverError` of kind `configuration` when the store ignores the condition.
    private func proveConditionalWrites() async throws {
        guard !isLocal else { return }
        let (bytes, _) = try await store.get(Layout.claim, limit: 1 << 20)
        do {
            _ = try await store.put(bytes, at: Layout.claim, .create)
        } catch let error as StorageError where error.kind == .alreadyExists {
            return
        }
        throw ArchiverError(
            .configuration,
            "\(store.location): the server ignores If-None-Match, so that it would replace archived files. Set "
                + "WALS_S3_CONDITIONAL_PUT=false: then each write looks before and after. Nothing was stored")
    }

    private var isLocal: Bool { store.location.utf8.starts(with: "file:".utf8) }

    /// Says whose prefix it is, for a reader: refuses another cluster's, claims nothing.
    ///
    /// - Throws: as `check`.
    package func verify(systemIdentifier: UInt64?) async throws -> Owner {
        let owner = try await owner()
        if let systemIdentifier {
            try compare(owner, systemIdentifier)
            if isClaim(owner) { remember(systemIdentifier) }
        }
        return owner
    }

    /// Records that the prefix goes over to another cluster; what was there stays.
    package func change(to systemIdentifier: UInt64) async throws {
        let previous: ClusterClaim?
        do {
            let (bytes, _) = try await store.get(Layout.claim, limit: 1 << 20)
            previous = try? ClusterClaim(parsing: bytes, object: Layout.claim.text)
            if previous == nil { log.warning("\(Layout.claim) cannot be read and is replaced") }
        } catch let error as StorageError where error.kind == .notFound {
            previous = nil
        }
        let claim: ClusterClaim
        if let previous {
            claim = previous.replaced(
                by: systemIdentifier, at: .now(), hostname: Self.hostname(), tool: Tool.name)
        } else {
            claim = ClusterClaim(
                systemIdentifier: systemIdentifier, claimedAt: .now(), hostname: Self.hostname(), tool: Tool.name)
        }
        _ = try await store.put(claim.encoded(), at: Layout.claim, .replace)
        remember(systemIdentifier)
    }

    /// Whose prefix it is, by asking the store.
    package func owner() async throws -> Owner {
        do {
            let (bytes, _) = try await store.get(Layout.claim, limit: 1 << 20)
            return .claim(try Self.parsed(bytes, store.location).systemIdentifier)
        } catch let error as StorageError where error.kind == .notFound {
            if let owner = try await ownerByBackups() { return owner }
            return try await ownerByWAL() ?? .nobody
        }
    }

    private static func parsed(_ bytes: [UInt8], _ location: String) throws -> ClusterClaim {
        do {
            return try ClusterClaim(parsing: bytes, object: Layout.claim.text)
        } catch {
            throw ArchiverError(
                .corrupted,
                "\(location)/\(Layout.claim), which says whose archive it is, cannot be read: \(error). To write it anew "
                    + "for a cluster, run: wal-s claim --confirm DATA_DIRECTORY")
        }
    }

    private func ownerByBackups() async throws -> Owner? {
        let listing = try await store.list(prefix: Layout.backupsFolder, recursive: false)
        let sentinels = listing.objects.filter { Layout.backup(ofSentinel: $0.key) != nil }
            .sorted { $0.modified > $1.modified }
        for object in sentinels.prefix(20) {
            let (bytes, _) = try await store.get(object.key, limit: 64 << 20)
            guard let sentinel = try? Sentinel(parsing: bytes, object: object.key.text) else {
                log.warning("\(object.key) cannot be read; another backup has to say whose archive it is")
                continue
            }
            if let identifier = sentinel.systemIdentifier {
                return .backup(identifier, name: Layout.backup(ofSentinel: object.key) ?? object.key.name)
            }
        }
        return nil
    }

    private func ownerByWAL() async throws -> Owner? {
        let listing = try await store.list(prefix: Layout.walFolder, recursive: false, startAfter: nil, limit: 20)
        for object in listing.objects {
            let name = object.key.name
            let end = name.utf8.firstIndex(of: 0x2E) ?? name.endIndex
            let file = String(name[..<end])
            guard WALSegmentName(file) != nil, let format = StoredWAL.format(of: name, for: file) else { continue }
            var head: [UInt8] = []
            let pool = PartPool(partSize: 1 << 20, limit: 4)
            try await ObjectReading.read(object.key, format, from: store, pool: pool) { bytes in
                if head.count < 8192 {
                    bytes.extracting(first: min(bytes.byteCount, 8192)).withUnsafeBytes { head += $0 }
                }
            }
            if let header = try? WALSegmentHeader(parsing: head.span.bytes) {
                return .wal(header.systemIdentifier, name: file)
            }
        }
        return nil
    }

    private func compare(_ owner: Owner, _ systemIdentifier: UInt64) throws {
        guard let owning = owner.systemIdentifier, owning != systemIdentifier else { return }
        let evidence =
            switch owner {
            case .backup(_, let name): ", by its backup \(name)"
            case .wal(_, let name): ", by its WAL segment \(name)"
            default: ""
            }
        throw ArchiverError(
            .configuration,
            "\(store.location) belongs to the cluster with system identifier \(owning)\(evidence); this cluster is "
                + "\(systemIdentifier). Nothing was changed. Give this cluster a prefix of its own (WALG_S3_PREFIX, "
                + "WALG_FILE_PREFIX), or, when it replaces the other one, run: wal-s claim --confirm")
    }

    private func isClaim(_ owner: Owner) -> Bool {
        if case .claim = owner { return true }
        return false
    }

    private func isRemembered(_ systemIdentifier: UInt64, within age: Duration?) -> Bool {
        state.read(Self.hint, notOlderThan: age) == Array("\(systemIdentifier)".utf8)
    }

    private func remember(_ systemIdentifier: UInt64) {
        state.write(Self.hint, Array("\(systemIdentifier)".utf8))
    }

    /// This machine's name, empty when it has none.
    package static func hostname() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
