import Bytes
import Storage
import Streams

/// Fetches the parts of a backup, several at once, and tries again what can be tried again.
struct RestoreParts: Sendable {
    /// What a part brought.
    struct Counts: Sendable {
        var files = 0
        var bytes = 0
        /// Of parts whose bytes a checksum of the codec or a digest vouches for: the source had them so.
        var pagesDamagedAtSource = DamagedPages()
        /// Of parts that nothing vouches for.
        var pagesDamaged = DamagedPages()

        mutating func add(_ other: Counts) {
            files += other.files
            bytes += other.bytes
            pagesDamagedAtSource.add(other.pagesDamagedAtSource)
            pagesDamaged.add(other.pagesDamaged)
        }
    }

    let fetch: FetchBackup
    let stream: FetchStream
    let shared: TarUnpacker.Shared

    /// Parts in flight at once.
    private var width: Int {
        max(1, min(fetch.settings.concurrency, fetch.settings.memoryLimit / FetchStream.memory))
    }

    func run(_ parts: [StoredTar]) async throws -> Counts {
        let width = min(width, parts.count)
        let threads = BlockingExecutor(threads: width)
        return try await withThrowingTaskGroup(of: Counts.self) { group in
            var waiting = parts.enumerated().makeIterator()
            var counts = Counts()
            for _ in 0..<width {
                guard let (number, part) = waiting.next() else { break }
                group.addTask(executorPreference: threads) { try await run(part, number) }
            }
            while let done = try await group.next() {
                counts.add(done)
                if let (number, part) = waiting.next() {
                    group.addTask(executorPreference: threads) { try await run(part, number) }
                }
            }
            return counts
        }
    }

    /// One part: again and again while the store does not answer, once more when its bytes are wrong.
    private func run(_ part: StoredTar, _ number: Int) async throws -> Counts {
        var failures = 0
        var corruptions = 0
        while true {
            do {
                return try await attempt(part, number)
            } catch let error as StorageError where error.kind == .unavailable || error.kind == .throttled {
                failures += 1
                guard failures <= fetch.settings.retries else { throw error }
                let wait = Duration.seconds(min(60, 1 << min(failures - 1, 6)))
                fetch.log.warning("\(error); the part is fetched again in \(wait)")
                try await fetch.pause(wait)
            } catch let error where Self.isCorruption(error) {
                corruptions += 1
                guard corruptions < 2 else { throw error }
                fetch.log.warning("\(error); fetched once more, in case the way was at fault")
            }
            shared.ledger.forget(tar: number)
        }
    }

    private static func isCorruption(_ error: any Error) -> Bool {
        if let error = error as? ArchiverError { return error.kind == .corrupted }
        if let error = error as? StorageError { return error.kind == .corrupted }
        return false
    }

    private func attempt(_ part: StoredTar, _ number: Int) async throws -> Counts {
        let unpacker = TarUnpacker(number: number, shared)
        // WAL-G's remote mode leaves the end out. That a part is whole is known by the codec's own end, by the digest,
        // or by the list of files.
        let isWhole = part.format != .none || part.digest != nil || shared.ledger.isListed
        try await stream.read(part, end: isWhole ? .optional : .required) { event in
            switch event {
            case .entry(let entry): try unpacker.begin(entry)
            case .body(let bytes): try unpacker.append(bytes)
            case .endOfEntry: try unpacker.end()
            }
        }
        var counts = Counts(files: unpacker.fileCount, bytes: unpacker.byteCount)
        if part.digest != nil || part.format.hasChecksum {
            counts.pagesDamagedAtSource = unpacker.damagedPages
        } else {
            counts.pagesDamaged = unpacker.damagedPages
        }
        return counts
    }
}

extension StoredFormat {
    /// Whether the format itself notices changed bytes, as WAL-G writes it.
    fileprivate var hasChecksum: Bool {
        switch self {
        case .lz4, .zstd, .gzip: true
        case .brotli, .lzma, .none: false
        }
    }
}
