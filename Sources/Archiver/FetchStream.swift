import Bytes
import Digests
import Storage
import Streams

/// Reads one stored tar in order: store, decompressor, tar reader, and whoever takes the members.
///
/// The stages are synchronous and run on the thread the part arrives on; only waiting for the next part suspends.
struct FetchStream: Sendable {
    /// Bytes a request fetches.
    static let partSize = 4 << 20
    /// Requests in flight for a stream.
    static let ahead = 2
    /// What a stream holds at most: its parts and the codec's window.
    static let memory = (ahead + 1) * partSize + (12 << 20)

    let store: any ObjectStore
    /// Told of stored bytes as they arrive.
    let received: @Sendable (Int) -> Void

    /// Hands the members of `tar` to `handler`, which is done before this returns.
    ///
    /// - Throws: `ArchiverError` with `corrupted`, naming the object, when its bytes are not what they should be;
    ///   `StorageError`; whatever `handler` throws.
    func read(
        _ tar: StoredTar, end: TarReader.EndRule, _ handler: (TarEvent) throws -> Void
    ) async throws {
        let line = try Line(tar, end)
        let pool = PartPool(partSize: Self.partSize, limit: Self.ahead + 2)
        let received = received
        let info: ObjectInfo
        do {
            info = try await store.download(tar.key, pool: pool, ahead: Self.ahead) { part in
                defer { pool.give(part) }
                try line.take(part, handler)
                received(part.count)
            }
            try line.finish(info)
        } catch let error as StreamError {
            throw line.named(error)
        } catch let error as ArchiverError where error.kind == .corrupted {
            throw ArchiverError(.corrupted, "\(tar.key): \(error)")
        }
    }

    /// The members of a small tar, whole.
    func readSmall(
        _ tar: StoredTar, end: TarReader.EndRule, limit: Int
    ) async throws -> [(entry: TarEntry, bytes: [UInt8])] {
        let collector = Collector(limit: limit)
        try await read(tar, end: end) { event in try collector.take(event) }
        return collector.members
    }

    /// Keeps members whole.
    private final class Collector {
        private let limit: Int
        private var byteCount = 0
        private(set) var members: [(entry: TarEntry, bytes: [UInt8])] = []

        init(limit: Int) { self.limit = limit }

        func take(_ event: TarEvent) throws {
            switch event {
            case .entry(let entry): members.append((entry, []))
            case .body(let bytes):
                byteCount += bytes.byteCount
                guard byteCount <= limit else {
                    throw ArchiverError(.corrupted, "more than \(limit) bytes, too many for what it is")
                }
                bytes.withUnsafeBytes { members[members.count - 1].bytes.append(contentsOf: $0) }
            case .endOfEntry: break
            }
        }
    }

    /// The synchronous stages of one attempt.
    private final class Line {
        private let tar: StoredTar
        private let digest: MessageDigest?
        private let decompressor: Decompressor
        private let reader: TarReader
        private var byteCount = 0
        private var failure: (any Error)?

        init(_ tar: StoredTar, _ end: TarReader.EndRule) throws {
            self.tar = tar
            reader = TarReader(end: end)
            digest = tar.digest.map { _ in MessageDigest() }
            decompressor = try Decompressor(tar.format)
        }

        func take(_ part: Part, _ handler: (TarEvent) throws -> Void) throws {
            try part.withBytes { bytes in
                byteCount += bytes.byteCount
                digest?.update(bytes)
                try decompress(bytes, handler)
            }
        }

        private func decompress(_ bytes: RawSpan, _ handler: (TarEvent) throws -> Void) throws {
            do {
                try decompressor.update(bytes) { chunk throws(StreamError) in
                    do {
                        try reader.update(chunk, handler)
                    } catch {
                        // The codec's own errors are typed; what came from below is kept aside and thrown instead.
                        failure = error
                        throw StreamError(.corrupted, operation: "read tar", offset: 0, detail: "see the failure kept")
                    }
                }
            } catch {
                throw failure ?? error
            }
        }

        func finish(_ info: ObjectInfo) throws {
            try decompressor.finish()
            try reader.finish()
            guard byteCount == tar.byteCount, info.byteCount == tar.byteCount else {
                throw ArchiverError(
                    .corrupted, "\(byteCount) bytes arrived, \(tar.byteCount) were listed: the object was replaced")
            }
            guard let expected = tar.digest, let found = digest?.finish() else { return }
            guard expected == found else {
                throw ArchiverError(
                    .corrupted,
                    """
                    the SHA-256 of the stored bytes is \(Hex.encode(found)), \
                    the backup was made with \(Hex.encode(expected))
                    """)
            }
        }

        /// The error with the object's name, and a hint where nothing at all could be read.
        func named(_ error: StreamError) -> ArchiverError {
            var message = "\(tar.key): \(error)"
            if reader.entryCount == 0 {
                message += """
                    . Nothing of it could be read: the backup may be encrypted (names do not tell), and encrypted \
                    backups cannot be read by this version
                    """
            }
            return ArchiverError(.corrupted, message)
        }
    }
}
