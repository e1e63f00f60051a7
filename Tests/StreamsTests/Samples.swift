import Bytes
import Streams
import TestSupport

/// Data and ways to push it through a codec.
enum Samples {
    /// Bytes that no codec makes smaller.
    static func random(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    /// Zeros, repeats and noise, as database pages have.
    static func compressible(_ count: Int, seed: UInt64 = 2) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.compressibleBytes(count)
    }

    static func compress(
        _ bytes: [UInt8], _ settings: CompressionSettings, chunk: Int = 256 << 10
    ) throws -> [UInt8] {
        var output: [UInt8] = []
        let compressor = try Compressor(settings)
        let collect = { (span: RawSpan) throws(StreamError) in
            span.withUnsafeBytes { output.append(contentsOf: $0) }
        }
        try forEachChunk(of: bytes, chunk) { try compressor.update($0, collect) }
        try compressor.finish(collect)
        return output
    }

    static func decompress(_ bytes: [UInt8], _ format: StoredFormat, chunk: Int = 16 << 20) throws -> [UInt8] {
        var output: [UInt8] = []
        let decompressor = try Decompressor(format)
        try forEachChunk(of: bytes, chunk) {
            try decompressor.update($0) { (span) throws(StreamError) in
                span.withUnsafeBytes { output.append(contentsOf: $0) }
            }
        }
        try decompressor.finish()
        return output
    }

    static func forEachChunk(of bytes: [UInt8], _ size: Int, _ body: (RawSpan) throws -> Void) throws {
        let all = bytes.span.bytes
        var position = 0
        while position < bytes.count {
            let end = min(position + size, bytes.count)
            try body(all.extracting(position..<end))
            position = end
        }
    }
}
