package import Bytes
import Glibc
package import Postgres
package import Storage
package import Streams

/// Fetches the segments after the one that recovery asked for, verified, into the prefetch directory.
///
/// One prefetcher runs for a directory; it goes on for as long as recovery moves on and the archive has more.
package struct Prefetch: Sendable {
    private let store: any ObjectStore
    private let directory: PrefetchDirectory
    private let method: CompressionMethod
    private let count: Int
    private let concurrency: Int
    private let systemIdentifier: UInt64
    private let size: WALSegmentSize
    private let log: Log

    /// Prepares to keep `count` segments ready (WALG_DOWNLOAD_CONCURRENCY), `concurrency` in flight.
    package init(
        store: any ObjectStore, directory: PrefetchDirectory, method: CompressionMethod, count: Int, concurrency: Int,
        systemIdentifier: UInt64, size: WALSegmentSize, log: Log
    ) {
        self.store = store
        self.directory = directory
        self.method = method
        self.count = count
        self.concurrency = concurrency
        self.systemIdentifier = systemIdentifier
        self.size = size
        self.log = log
    }

    /// Runs until nothing is left to fetch, or another prefetcher holds the directory.
    ///
    /// Failures are not reported: the foreground will meet them, and say so.
    package func run() async throws {
        let lock = try FileDescriptor(opening: directory.lockFile, O_RDWR | O_CREAT)
        guard try lock.tryLock() else { return }
        while let position = directory.position() {
            directory.sweep(before: position)
            var wanted: [WALSegmentName] = []
            var next = position
            for _ in 0..<count {
                next = next.next(size)
                if !directory.isThere(next.description) { wanted.append(next) }
            }
            guard !wanted.isEmpty else { return }
            guard try await fetch(wanted) else { return }
        }
    }

    /// Fetches the segments in order; false when one was not there or failed, so that it makes no sense to go on.
    private func fetch(_ segments: [WALSegmentName]) async throws -> Bool {
        let executor = BlockingExecutor(threads: concurrency)
        let pool = PartPool(partSize: 8 << 20, limit: concurrency * 3)
        let queue = Locked(segments[...])
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<min(concurrency, segments.count) {
                group.addTask(executorPreference: executor) {
                    while let segment = queue.withLock({ $0.popFirst() }) {
                        guard await fetch(segment, pool) else {
                            queue.withLock { $0 = [] }
                            return false
                        }
                    }
                    return true
                }
            }
            var complete = true
            for try await worker in group where !worker { complete = false }
            return complete
        }
    }

    private func fetch(_ segment: WALSegmentName, _ pool: PartPool) async -> Bool {
        let name = segment.description
        let running = Path.join(directory.path, "running/\(name)")
        let check = Delivery.Check(
            name: name, kind: .segment(segment), size: size, systemIdentifier: systemIdentifier)
        let delivery = Delivery(store: store, pool: pool, check: check)
        do {
            let variant = StoredWAL.Variant(key: StoredWAL.key(name, method), format: method.storedFormat)
            do {
                try await delivery.run(variant, to: running)
            } catch let error as StorageError where error.kind == .notFound {
                let stored = try await StoredWAL.find(name, in: store)
                // More than one form is for the foreground, which compares them.
                guard stored.variants.count == 1, let only = stored.variants.first else { return false }
                try await delivery.run(only, to: running)
            }
            try FileSystem.rename(running, to: directory.file(name))
            return true
        } catch {
            log.debug("prefetch of \(name) ended: \(error)")
            return false
        }
    }
}
