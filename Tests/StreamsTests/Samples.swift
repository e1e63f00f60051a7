import Bytes
import Streams

/// SplitMix64, so that every run sees the same data.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

enum Samples {
    /// Bytes that no codec makes smaller.
    static func random(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        var bytes = [UInt8]()
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Runs and repetitions with some noise, as database pages have.
    static func compressible(_ count: Int, seed: UInt64 = 2) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        let words = (0..<16).map { _ in random(Int(generator.next() % 40) + 1, seed: generator.next()) }
        var bytes = [UInt8]()
        bytes.reserveCapacity(count + 256)
        while bytes.count < count {
            let choice = generator.next()
            if choice % 4 == 0 {
                bytes.append(contentsOf: repeatElement(0, count: Int(choice >> 8 & 0xFF)))
            } else {
                bytes.append(contentsOf: words[Int(choice >> 8 & 0xF)])
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
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
