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
        /// How long a hole may be one that a push under way is about to close.
        package var gapPatience: Duration = .seconds(5)
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
        let historyHint = placeHint("history", control?.systemIdentifier) + "-" + name
        var check = Delivery.Check(
            name: name, kind: kind, size: options.expectedSegmentSize ?? control?.segmentSize,
            systemIdentifier: control?.systemIdentifier)
        switch kind {
        case .history(let timeline):
            // Timeline 1 has no history; PostgreSQL asks for it at the end of a recovery, when it is too late to fail.
            if timeline.rawValue <= 1 { throw absent(name) }
            if options.mode == .none, let known = state.read(historyHint) {
                return try Delivery.write(known, to: destination)
            }
            // A history does not say whose it is, so the prefix has to; one without any mark has none to go by.
            try await proveOwner(check, orNobody: true)
            _ = try await download(check, to: destination)
            if let bytes = try? FileSystem.contents(destination, limit: 1 << 20) { state.write(historyHint, bytes) }
        case .segment(let segment):
            let carriedHint = placeHint("carried", control?.systemIdentifier)
            check.carried = state.read(carriedHint)
                .flatMap { CarriedRecord(String(decoding: $0, as: UTF8.self)) }
                .flatMap { $0.segment == segment ? $0 : nil }
            let carried = try await deliverSegment(segment, check, to: destination)
            if let carried {
                state.write(carriedHint, Array(carried.text.utf8))
            } else {
                state.remove(carriedHint)
            }
        default: _ = try await download(check, to: destination)
        }
    }

    /// Delivers a segment, from the prefetch directory or the store, and tells the record that it leaves unfinished.
    private func deliverSegment(
        _ segment: WALSegmentName, _ check: Delivery.Check, to destination: String
    ) async throws -> CarriedRecord? {
        if let prefetched, let content = await prefetched.deliver(check, to: destination, log: log) {
            return content.carried
        }
        do {
            return try await download(check, to: destination)
        } catch let error as ArchiverError {
            // What is known of the segment before may come from an object that was mended since.
            guard error.kind == .corrupted, let known = check.carried,
                let fresh = try? await unfinishedRecord(before: segment, check), fresh != known
            else { throw error }
            var again = check
            again.carried = fresh
            return try await download(again, to: destination)
        }
    }

    private func unfinishedRecord(
        before segment: WALSegmentName, _ check: Delivery.Check
    ) async throws -> CarriedRecord? {
        guard let size = check.size, segment.number(size) > 0 else { return nil }
        let previous = WALSegmentName(timeline: segment.timeline, number: segment.number(size) - 1, size: size)
        let stored = try await StoredWAL.find(previous.description, in: store)
        guard let variant = stored.variants.first else { return nil }
        let earlier = Delivery.Check(
            name: previous.description, kind: .segment(previous), size: size,
            systemIdentifier: check.systemIdentifier)
        let pool = PartPool(partSize: options.partSize, limit: 3)
        return try await Delivery(store: store, pool: pool, check: earlier).unfinishedRecord(variant)
    }

    private func download(_ check: Delivery.Check, to destination: String) async throws -> CarriedRecord? {
        let executor = BlockingExecutor(threads: 1)
        let pool = PartPool(partSize: options.partSize, limit: 3)
        let delivery = Delivery(store: store, pool: pool, check: check)
        return try await withTaskExecutorPreference(executor) {
            if case .segment = check.kind {
                // Histories are mostly absent, partial segments and the like rare: for those the listing comes first.
                let method = guess()
                let variant = StoredWAL.Variant(
                    key: StoredWAL.key(check.name, method), format: method.storedFormat)
                do {
                    return try await delivery.run(variant, to: destination).carried
                } catch let error as StorageError where error.kind == .notFound {
                    log.debug("\(variant.key) is not there, looking for other forms")
                }
            }
            let stored = try await find(check)
            if stored.variants.isEmpty { try await proveAbsence(stored, check, pool) }
            return try await deliver(stored, delivery, to: destination).carried
        }
    }

    /// Looks the file up; a hole is looked at again for a while, since segments are pushed several at a time.
    private func find(_ check: Delivery.Check) async throws -> StoredWAL {
        var stored = try await StoredWAL.find(check.name, in: store)
        let patience = min(options.gapPatience, options.deadline / 4)
        let pause = min(.seconds(1), patience / 5)
        var waited = Duration.zero
        while stored.variants.isEmpty, stored.laterSegment != nil, !options.allowGap, options.mode != .standby,
            waited < patience
        {
            try await Task.sleep(for: pause)
            waited += pause
            stored = try await StoredWAL.find(check.name, in: store)
        }
        return stored
    }

    /// Delivers one of the stored forms.
    ///
    /// Forms that differ in content are an error: nobody can say which is right.
    private func deliver(
        _ stored: StoredWAL, _ delivery: Delivery, to destination: String
    ) async throws -> Delivery.Outcome {
        if stored.variants.count == 1, let only = stored.variants.first {
            let outcome = try await delivery.run(only, to: destination)
            remember(only)
            return outcome
        }
        var delivered: [(key: ObjectKey, outcome: Delivery.Outcome)] = []
        var failure: (any Error)?
        for variant in stored.variants {
            do {
                delivered.append((variant.key, try await delivery.run(variant, to: destination)))
            } catch {
                failure = error
                log.warning("\(stored.name): \(error)")
            }
        }
        guard let first = delivered.first else {
            throw failure ?? ArchiverError(.corrupted, "\(stored.name): no form of it can be read")
        }
        if let other = delivered.first(where: { $0.outcome.digest != first.outcome.digest }) {
            _ = try? FileSystem.removeFile(destination)
            throw ArchiverError(
                .conflict,
                "\(stored.name) is stored twice with different content, \(first.key) and \(other.key) in "
                    + "\(store.location): find out which is this cluster's and move the other away")
        }
        return first.outcome
    }

    /// Throws `absent` when the absence is proven, and what stands against it otherwise.
    private func proveAbsence(
        _ stored: StoredWAL, _ check: Delivery.Check, _ pool: PartPool
    ) async throws -> Never {
        if case .segment(let segment) = check.kind, let evidence = try await hole(segment, stored, check, pool) {
            guard options.allowGap else {
                throw ArchiverError(
                    .corrupted,
                    "\(check.name) is not in \(store.location) although \(evidence): a hole in the archive, recovery "
                        + "cannot go on past it (--allow-gap ends recovery here instead)")
            }
            log.warning("\(check.name) is missing although \(evidence); --allow-gap takes this for the end")
        }
        try await proveOwner(check)
        throw absent(check.name)
    }

    private func hole(
        _ segment: WALSegmentName, _ stored: StoredWAL, _ check: Delivery.Check, _ pool: PartPool
    ) async throws -> String? {
        if let later = stored.laterSegment { return "\(later) is there" }
        guard stored.mayHaveLaterTimelines else { return nil }
        let proof = AbsenceProof(store: store, pool: pool)
        let timeline = try await proof.timelineBeyond(segment, size: check.size ?? .standard)
        return timeline.map { "timeline \($0) left this one only after it" }
    }

    /// Makes sure that the prefix is this cluster's, or (when that will do) nobody's; what was found holds for a minute.
    private func proveOwner(_ check: Delivery.Check, orNobody: Bool = false) async throws {
        let proof = Array("\(check.systemIdentifier ?? 0)".utf8)
        guard state.read("prefix-proof", notOlderThan: .seconds(60)) != proof else { return }
        let owner = try await ClaimGuard(store: store, state: state, log: log)
            .verify(systemIdentifier: check.systemIdentifier)
        if owner == .nobody {
            if orNobody { return }
            throw ArchiverError(
                .configuration,
                "\(check.name): \(store.location) holds no backup, no WAL and no claim, so it is not known to be "
                    + "this cluster's archive; check the prefix, the bucket and the endpoint")
        }
        state.write("prefix-proof", proof)
    }

    private func absent(_ name: String) -> ArchiverError {
        ArchiverError(.absent, "Archive '\(name)' does not exist.")
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

    /// The name of a hint about this recovery: of this cluster, in this data directory.
    private func placeHint(_ what: String, _ systemIdentifier: UInt64?) -> String {
        let identity = "\(systemIdentifier ?? 0)\n\(Path.absolute(options.dataDirectory))"
        let place = MessageDigest.sha256(Array(identity.utf8).span.bytes)
        return "\(what)-\(Hex.encode(place.prefix(6)))"
    }
}
