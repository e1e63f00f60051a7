package import Bytes
import Digests
package import Postgres
package import Storage
package import Streams

/// Archives one WAL file, and others that are ready beside it.
///
/// The file is read once, compressed, and stored by one conditional request; an object under its name with other
/// content is never replaced. It returns only when the store has confirmed the file.
package struct PushWAL: Sendable {
    package struct Options: Sendable {
        package var compression: CompressionSettings
        /// The segment size the settings insist on; nil to take what the segments say.
        package var expectedSegmentSize: WALSegmentSize?
        /// Takes any plain name and looks at no header (WALS_PUSH_ANY_FILE).
        package var allowAnyName = false
        /// Files pushed by one run, the requested one included (TOTAL_BG_UPLOADED_LIMIT).
        package var totalFiles = 32
        /// Files in flight at once, the requested one included.
        package var concurrency = 16
        /// Bytes that parts in flight may take together.
        package var memoryLimit = 160 << 20
        /// Bytes of a part; a file that compresses to less goes in one request.
        package var partSize = 20 << 20
        /// After this the run gives up (PostgreSQL asks again).
        package var deadline: Duration = .seconds(50)
        /// PGDATA, when it is known otherwise than by the file's place.
        package var dataDirectory: String?

        package init(compression: CompressionSettings) { self.compression = compression }
    }

    private let store: any ObjectStore
    private let state: LocalState
    private let options: Options
    private let log: Log

    package init(store: any ObjectStore, state: LocalState, options: Options, log: Log) {
        self.store = store
        self.state = state
        self.options = options
        self.log = log
    }

    /// Pushes the file at `path`; returning means that the store holds it.
    ///
    /// - Throws: `ArchiverError` or the error of the room that failed; the file then is not acknowledged.
    package func run(path: String) async throws {
        let file = try LocalWALFile(
            path: path, expectedSize: options.expectedSegmentSize, allowAnyName: options.allowAnyName)
        let isStored = Locked(false)
        do {
            try await withDeadline(options.deadline, "wal-push \(file.name)") {
                let systemIdentifier = try await claim(file)
                try await pushWithOthers(file, of: systemIdentifier) { isStored.withLock { $0 = true } }
            }
        } catch let error as ArchiverError where error.kind == .deadline && isStored.withLock({ $0 }) {
            // The file that was asked for is safe; only others, which will be asked for, took too long.
            log.info("files pushed ahead of \(file.name) were not done in time")
        }
    }

    /// Makes sure that the prefix is the file's cluster's; the cluster, when it can be told.
    private func claim(_ file: LocalWALFile) async throws -> UInt64? {
        var systemIdentifier = file.systemIdentifier
        if systemIdentifier == nil, file.kind != nil,
            let directory = LocalCluster.dataDirectory(ofFile: file.path, fallback: options.dataDirectory)
        {
            systemIdentifier = LocalCluster.controlFile(in: directory)?.systemIdentifier
        }
        guard let systemIdentifier else { return nil }
        try await ClaimGuard(store: store, state: state, log: log).check(systemIdentifier: systemIdentifier)
        return systemIdentifier
    }

    private func pushWithOthers(
        _ file: LocalWALFile, of systemIdentifier: UInt64?, stored: @escaping @Sendable () -> Void
    ) async throws {
        // Without a cluster to compare with, a file that nobody asked for yet stays where it is.
        let others = systemIdentifier == nil ? [] : ReadyFiles.others(than: file, limit: options.totalFiles - 1)
        // A file fills its parts before the pool can hold it back, so memory bounds how many are in flight.
        let affordable = options.memoryLimit / min(options.partSize, max(file.byteCount, 1 << 20))
        let wanted = max(1, min(options.concurrency, others.count + 1, affordable))
        let executor = BlockingExecutor(threads: min(wanted, 8))
        let pool = PartPool(partSize: options.partSize, limit: max(2, min(wanted, 8) + 1))
        if others.isEmpty {
            _ = try await withTaskExecutorPreference(executor) { try await push(file, pool: pool) }
            return
        }
        let queue = Locked(others[...])
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask(executorPreference: executor) {
                try await push(file, pool: pool)
                stored()
                return true
            }
            for _ in 1..<wanted {
                group.addTask(executorPreference: executor) {
                    while !Task.isCancelled, let path = queue.withLock({ $0.popFirst() }) {
                        guard await pushAhead(path, pool: pool, systemIdentifier: systemIdentifier) else {
                            queue.withLock { $0 = [] }
                            break
                        }
                    }
                    return false
                }
            }
            // The first error can only be the requested file's: the others report theirs and stop.
            for try await _ in group {}
        }
    }

    /// Pushes a file that PostgreSQL has not asked for yet.
    ///
    /// Its failure is no failure of this run: PostgreSQL will ask.
    private func pushAhead(_ path: String, pool: PartPool, systemIdentifier: UInt64?) async -> Bool {
        let name = Path.name(path)
        do {
            let file = try LocalWALFile(
                path: path, expectedSize: options.expectedSegmentSize, allowAnyName: false)
            guard file.systemIdentifier == nil || systemIdentifier == nil || file.systemIdentifier == systemIdentifier
            else { return true }
            let info = try await push(file, pool: pool)
            PushedHint(digest: try file.contentDigest(), byteCount: info.byteCount, etag: info.etag)
                .remember(name, in: state)
            log.debug("pushed ahead: \(name)")
            return true
        } catch is CancellationError {
            return false
        } catch {
            log.info("\(name) was not pushed ahead, PostgreSQL will ask for it: \(error)")
            return false
        }
    }

    @discardableResult
    private func push(_ file: LocalWALFile, pool: PartPool) async throws -> ObjectInfo {
        let key = StoredWAL.key(file.name, options.compression.method)
        if let hint = PushedHint.recall(file.name, in: state) {
            // An earlier run sent it ahead. The store is asked whether that object is there, unchanged, and ours.
            state.remove(PushedHint.name(file.name))
            if let info = try await store.info(key), hint.matches(info), try file.contentDigest() == hint.digest {
                return info
            }
        }
        if let variant = try await otherVariant(of: file, than: key) {
            try await compare(file, with: variant, pool: pool)
            return try await existing(variant.key)
        }
        do {
            return try await upload(file, to: key, pool: pool)
        } catch let error as StorageError where error.kind == .alreadyExists || error.serverCode == "NoSuchUpload" {
            // Another run that has stored the object ends the uploads of all others.
            if error.kind != .alreadyExists, try await store.info(key) == nil { throw error }
            try await compare(
                file, with: StoredWAL.Variant(key: key, format: options.compression.method.storedFormat), pool: pool)
            return try await existing(key)
        }
    }

    /// The file as it is stored under another codec's name, where a conditional write would not see it.
    private func otherVariant(of file: LocalWALFile, than key: ObjectKey) async throws -> StoredWAL.Variant? {
        if store.location.utf8.starts(with: "file:".utf8) {
            // In a directory looking costs nothing, so it is done every time.
            for method in CompressionMethod.allCases {
                let other = StoredWAL.key(file.name, method)
                guard other != key, try await store.info(other) != nil else { continue }
                return StoredWAL.Variant(key: other, format: method.storedFormat)
            }
            return nil
        }
        let codec = CodecHint(state: state, method: options.compression.method)
        guard codec.mayHaveOtherVariants(of: file) else { return nil }
        let stored = try await StoredWAL.find(file.name, in: store)
        if stored.variants.isEmpty { codec.remember(file) }
        return stored.variants.first
    }

    private func existing(_ key: ObjectKey) async throws -> ObjectInfo {
        guard let info = try await store.info(key) else {
            throw StorageError(.notFound, operation: "HEAD", key: key, detail: "it was there a moment ago")
        }
        return info
    }

    private func upload(_ file: LocalWALFile, to key: ObjectKey, pool: PartPool) async throws -> ObjectInfo {
        let info = try await send(file, to: key, pool: pool)
        if info.byteCount > pool.partSize { await abandonOthers(key) }
        return info
    }

    /// Ends other uploads of a key whose object is there: those of killed runs.
    ///
    /// They could never be completed.
    private func abandonOthers(_ key: ObjectKey) async {
        do {
            try await store.abandonUploads(prefix: key.text) { $0 == key }
        } catch {
            // The file is stored; leftovers are no reason for PostgreSQL to send it again.
            log.debug("unfinished uploads of \(key) were not looked for or ended: \(error)")
        }
    }

    private func send(_ file: LocalWALFile, to key: ObjectKey, pool: PartPool) async throws -> ObjectInfo {
        try await store.withUpload(to: key, .create, pool: pool) { upload in
            let compressor = try Compressor(options.compression)
            // The store digests what it signs; nobody else asks.
            let parts = PartWriter(pool: pool, digesting: false)
            var chunks = try LocalWALFile.Chunks(file)
            while try chunks.next({ chunk in
                try compressor.update(chunk) { packed throws(StreamError) in parts.append(packed) }
            }) {
                for part in parts.takeFilled() { try await upload.append(part) }
            }
            try compressor.finish { packed throws(StreamError) in parts.append(packed) }
            for part in parts.finish() { try await upload.append(part) }
        }.info
    }

    /// Reads what is stored and compares contents, not packings.
    ///
    /// - Throws: `ArchiverError` of kind `conflict` naming both digests when they differ.
    private func compare(_ file: LocalWALFile, with variant: StoredWAL.Variant, pool: PartPool) async throws {
        let digest = MessageDigest(.sha256)
        var byteCount = 0
        do {
            try await ObjectReading.read(variant.key, variant.format, from: store, pool: pool) { bytes in
                digest.update(bytes)
                byteCount += bytes.byteCount
            }
        } catch let error as StreamError {
            throw ArchiverError(
                .conflict,
                "\(file.name): \(store.location)/\(variant.key) exists and cannot be read (\(error)); it stays as it is, "
                    + "the local file is not archived: look at the object, and move it away if it is damaged")
        }
        let (stored, local) = (digest.finish(), try file.contentDigest())
        guard stored == local else {
            throw ArchiverError(
                .conflict,
                "\(file.name): already archived with other content, refused: \(store.location)/\(variant.key) holds "
                    + "\(byteCount) bytes with SHA-256 \(Hex.encode(stored)), the local file \(file.byteCount) bytes with "
                    + "\(Hex.encode(local)); another server may archive to this prefix")
        }
        log.info("WAL file '\(file.name)' already archived with equal content, skipping")
    }
}
