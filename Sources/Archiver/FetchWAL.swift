package import Bytes
import Digests
import Glibc
package import Postgres
package import Storage
package import Streams

/// Brings one WAL file out of the archive: delivered and verified, proven absent, or an error.
///
/// PostgreSQL takes an exit of 1 to 125 for "no such file" and ends recovery, so "absent" is only said when the store
/// answered, the prefix is the right one, and no later segment shows a hole (conventions.md, section 2).
package struct FetchWAL: Sendable {
    package struct Options: Sendable {
        package var mode: RecoveryMode
        /// The codec that is tried first.
        package var method: CompressionMethod
        /// The segment size the settings insist on; nil to take the cluster's or the segment's own.
        package var expectedSegmentSize: WALSegmentSize?
        /// Takes any plain name and verifies no content (WALS_PUSH_ANY_FILE).
        package var allowAnyName = false
        /// Says "absent" even when later segments exist.
        package var allowGap = false
        /// The data directory that recovers: where `restore_command` is started.
        package var dataDirectory = "."
        package var partSize = 8 << 20
        package var deadline: Duration = .seconds(300)

        package init(mode: RecoveryMode, method: CompressionMethod) {
            self.mode = mode
            self.method = method
        }
    }

    private let store: any ObjectStore
    private let state: LocalState
    private let prefetched: PrefetchDirectory?
    private let options: Options
    private let log: Log

    package init(
        store: any ObjectStore, state: LocalState, prefetched: PrefetchDirectory?, options: Options, log: Log
    ) {
        self.store = store
        self.state = state
        self.prefetched = prefetched
        self.options = options
        self.log = log
    }

    /// Delivers `name` to `destination`; returning means that the file is there, whole and verified.
    ///
    /// - Throws: `ArchiverError` of kind `absent` when the archive provably does not hold the file; any other error
    ///   when that is not known. Nothing is left at `destination` then.
    package func run(_ name: String, to destination: String) async throws {
        let kind = try Self.checked(name, allowAnyName: options.allowAnyName)
        if let there = try FileSystem.linkStatus(destination), there.kind != .regular {
            throw ArchiverError(
                .localFile, "\(name): the target \(destination) is there and no plain file; nothing was fetched")
        }
        try await withDeadline(options.deadline, "wal-fetch \(name)") {
            try await fetch(name, kind, to: destination)
        }
    }

    /// The kind of a file name; nil for other plain names, where those are allowed.
    static func checked(_ name: String, allowAnyName: Bool) throws -> WALFileName? {
        let kind = WALFileName(name)
        guard kind != nil || allowAnyName, LocalWALFile.isPlain(name) else {
            throw ArchiverError(
                .usage,
                "\(name): not the name of a WAL segment, .partial, .history or .backup file; nothing was fetched")
        }
        return kind
    }

    private func fetch(_ name: String, _ kind: WALFileName?, to destination: String) async throws {
        let control = LocalCluster.controlFile(in: options.dataDirectory)
        let hint = historyHint(name, control?.systemIdentifier)
        if case .history(let timeline) = kind {
            // Timeline 1 has no history; PostgreSQL asks for it at the end of a recovery, when it is too late to fail.
            if timeline.rawValue <= 1 { throw absent(name) }
            if options.mode == .none, let known = state.read(hint) {
                return try Delivery.write(known, to: destination)
            }
        }
        let check = Delivery.Check(
            name: name, kind: kind, size: options.expectedSegmentSize ?? control?.segmentSize,
            systemIdentifier: control?.systemIdentifier)
        if case .segment = kind, let prefetched, await prefetched.deliver(check, to: destination, log: log) { return }
        try await download(check, to: destination)
        if case .history = kind, let bytes = try? FileSystem.contents(destination, limit: 1 << 20) {
            state.write(hint, bytes)
        }
    }

    private func download(_ check: Delivery.Check, to destination: String) async throws {
        let executor = BlockingExecutor(threads: 1)
        let pool = PartPool(partSize: options.partSize, limit: 3)
        let delivery = Delivery(store: store, pool: pool, check: check)
        try await withTaskExecutorPreference(executor) {
            if mayBeGuessed(check.kind) {
                let method = guess()
                let variant = StoredWAL.Variant(
                    key: StoredWAL.key(check.name, method), format: method.storedFormat)
                do {
                    try await delivery.run(variant, to: destination)
                    return
                } catch let error as StorageError where error.kind == .notFound {
                    log.debug("\(variant.key) is not there, looking for other forms")
                }
            }
            let stored = try await StoredWAL.find(check.name, in: store)
            if stored.variants.isEmpty { try await proveAbsence(stored, check) }
            try await deliver(stored, delivery, to: destination)
        }
    }

    /// Delivers one of the stored forms.
    ///
    /// Forms that differ in content are an error: nobody can say which is right.
    private func deliver(_ stored: StoredWAL, _ delivery: Delivery, to destination: String) async throws {
        if stored.variants.count == 1, let only = stored.variants.first {
            try await delivery.run(only, to: destination)
            remember(only)
            return
        }
        var digests: [(key: ObjectKey, digest: [UInt8])] = []
        var failure: (any Error)?
        for variant in stored.variants {
            do {
                digests.append((variant.key, try await delivery.run(variant, to: destination)))
            } catch {
                failure = error
                log.warning("\(stored.name): \(error)")
            }
        }
        guard let first = digests.first else {
            throw failure ?? ArchiverError(.corrupted, "\(stored.name): no form of it can be read")
        }
        if let other = digests.first(where: { $0.digest != first.digest }) {
            _ = try? FileSystem.removeFile(destination)
            throw ArchiverError(
                .conflict,
                "\(stored.name) is stored twice with different content, \(first.key) and \(other.key) in "
                    + "\(store.location): find out which is this cluster's and move the other away")
        }
    }

    /// Throws `absent` when the absence is proven, and what stands against it otherwise.
    private func proveAbsence(_ stored: StoredWAL, _ check: Delivery.Check) async throws -> Never {
        if let later = stored.laterSegment, case .segment = check.kind {
            guard options.allowGap else {
                throw ArchiverError(
                    .corrupted,
                    "\(check.name) is not in \(store.location) although \(later) is: a hole in the archive, recovery "
                        + "cannot go on past it (--allow-gap ends recovery here instead)")
            }
            log.warning("\(check.name) is missing although \(later) is there; --allow-gap takes this for the end")
        }
        let proof = Array("\(check.systemIdentifier ?? 0)".utf8)
        if state.read("prefix-proof", notOlderThan: .seconds(60)) != proof {
            let owner = try await ClaimGuard(store: store, state: state, log: log)
                .verify(systemIdentifier: check.systemIdentifier)
            guard owner != .nobody else {
                throw ArchiverError(
                    .configuration,
                    "\(check.name): \(store.location) holds no backup, no WAL and no claim, so it is not known to be "
                        + "this cluster's archive; check the prefix, the bucket and the endpoint")
            }
            state.write("prefix-proof", proof)
        }
        throw absent(check.name)
    }

    private func absent(_ name: String) -> ArchiverError {
        ArchiverError(.absent, "Archive '\(name)' does not exist.")
    }

    /// Histories are mostly absent, partial segments and the like rare: for those the listing comes first.
    private func mayBeGuessed(_ kind: WALFileName?) -> Bool {
        if case .segment = kind { return true }
        return false
    }

    private func guess() -> CompressionMethod {
        guard let bytes = state.read("fetched-codec"),
            let method = CompressionMethod(rawValue: String(decoding: bytes, as: UTF8.self))
        else { return options.method }
        return method
    }

    private func remember(_ variant: StoredWAL.Variant) {
        guard let method = CompressionMethod.allCases.first(where: { $0.storedFormat == variant.format }) else {
            return
        }
        state.write("fetched-codec", Array(method.rawValue.utf8))
    }

    private func historyHint(_ name: String, _ systemIdentifier: UInt64?) -> String {
        let identity = "\(systemIdentifier ?? 0)\n\(Path.absolute(options.dataDirectory))"
        let place = MessageDigest.sha256(Array(identity.utf8).span.bytes)
        return "history-\(Hex.encode(place.prefix(6)))-\(name)"
    }
}
