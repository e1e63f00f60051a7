import Bytes
import Storage
import Streams

/// The synchronous stages of one object: tar, compression, parts.
final class TarStream {
    private let tar = TarWriter()
    private let compressor: Compressor
    private let parts: PartWriter
    private let pool: PartPool

    init(_ compression: CompressionSettings, pool: PartPool) throws(StreamError) {
        compressor = try Compressor(compression)
        parts = PartWriter(pool: pool)
        self.pool = pool
    }

    func header(_ entry: TarEntry) throws(StreamError) {
        let header = tar.header(for: entry)
        try write(header.span.bytes)
    }

    func padding(after byteCount: Int) throws(StreamError) {
        let padding = tar.padding(after: byteCount)
        try write(padding.span.bytes)
    }

    func write(_ bytes: RawSpan) throws(StreamError) {
        try compressor.update(bytes) { packed throws(StreamError) in parts.append(packed) }
    }

    /// A whole member from memory.
    func member(_ entry: TarEntry, _ contents: [UInt8]) throws(StreamError) {
        try header(entry)
        try write(contents.span.bytes)
        try padding(after: contents.count)
    }

    /// Hands full parts to the upload, then waits until the pool has a part again: the bound on memory.
    func send(to upload: any ObjectUpload) async throws {
        guard parts.hasFilled else { return }
        for part in parts.takeFilled() { try await upload.append(part) }
        pool.give(try await pool.take())
    }

    /// Ends the archive and hands over what is left.
    func finish(to upload: any ObjectUpload) async throws {
        let end = TarWriter.end
        try write(end.span.bytes)
        try compressor.finish { packed throws(StreamError) in parts.append(packed) }
        for part in parts.finish() { try await upload.append(part) }
    }

    /// Whether there is something to send.
    var hasFilled: Bool { parts.hasFilled }
    /// Stored bytes so far.
    var storedByteCount: Int { parts.byteCount }
    /// Of all stored bytes, after `finish`.
    var sha256: [UInt8] { parts.sha256 ?? [] }
}

/// Writes one uncompressed document of any size as it is made.
final class DocumentStream {
    private let parts: PartWriter
    private let pool: PartPool

    init(pool: PartPool) {
        parts = PartWriter(pool: pool)
        self.pool = pool
    }

    func write(_ bytes: RawSpan) { parts.append(bytes) }

    func send(to upload: any ObjectUpload) async throws {
        guard parts.hasFilled else { return }
        for part in parts.takeFilled() { try await upload.append(part) }
        pool.give(try await pool.take())
    }

    func finish(to upload: any ObjectUpload) async throws {
        for part in parts.finish() { try await upload.append(part) }
    }

    var byteCount: Int { parts.byteCount }
    var sha256: [UInt8] { parts.sha256 ?? [] }
}
