import Streams
import Testing

/// A sample, named so that a failure says which.
struct SampleCase: CustomTestStringConvertible, Sendable {
    let count: Int
    let isRandom: Bool
    let bytes: [UInt8]

    init(count: Int, isRandom: Bool) {
        self.count = count
        self.isRandom = isRandom
        bytes = isRandom ? Samples.random(count) : Samples.compressible(count)
    }

    var testDescription: String { "\(count) \(isRandom ? "random" : "compressible") bytes" }

    static let all = [0, 1, 4095, 65535, 65536, 65537, (3 << 20) + 17].flatMap { count in
        [SampleCase(count: count, isRandom: true), SampleCase(count: count, isRandom: false)]
    }
}

/// A codec and the commands of its own tool.
struct Codec: CustomTestStringConvertible, Sendable {
    let format: StoredFormat
    let method: CompressionMethod?
    let encode: [String]
    let decode: [String]

    var testDescription: String { format.rawValue }

    static let all = [
        Codec(format: .lz4, method: .lz4, encode: ["lz4", "-z", "-c"], decode: ["lz4", "-d", "-c"]),
        Codec(format: .zstd, method: .zstd, encode: ["zstd", "-c"], decode: ["zstd", "-d", "-c"]),
        Codec(format: .brotli, method: .brotli, encode: ["brotli", "-c", "-q", "5"], decode: ["brotli", "-d", "-c"]),
        Codec(
            format: .lzma, method: .lzma, encode: ["xz", "--format=lzma", "-c"],
            decode: ["xz", "--format=lzma", "-d", "-c"]),
        Codec(format: .gzip, method: nil, encode: ["gzip", "-c"], decode: ["gzip", "-d", "-c"]),
    ]
    static let writable = all.filter { $0.method != nil }
    static let areInstalled = Oracle.has("lz4", "zstd", "brotli", "xz", "gzip")
}

@Suite struct CompressorTests {
    @Test(
        .enabled(if: Codec.areInstalled, "a codec's own tool is missing here"),
        arguments: Codec.writable, SampleCase.all)
    func `the codec's own tool reads what we write`(codec: Codec, sample: SampleCase) async throws {
        let method = try #require(codec.method)
        let bytes = sample.bytes
        let packed = try Samples.compress(bytes, CompressionSettings(method: method))
        #expect(try await Oracle.run(codec.decode, input: packed) == bytes)
        #expect(try Samples.decompress(packed, codec.format) == bytes)
    }

    @Test(arguments: CompressionMethod.allCases, [1, 3, 511, 8191, 65537, 1 << 24])
    func `chunks may have any size`(method: CompressionMethod, chunk: Int) throws {
        let bytes = Samples.compressible(70000) + Samples.random(70000)
        let packed = try Samples.compress(bytes, CompressionSettings(method: method), chunk: chunk)
        #expect(try Samples.decompress(packed, method.storedFormat, chunk: chunk) == bytes)
    }

    @Test(arguments: ZstdLevel.allCases)
    func `each level of zstd makes a frame with a checksum and a small window`(level: ZstdLevel) throws {
        let bytes = Samples.compressible(3 << 20)
        let packed = try Samples.compress(bytes, CompressionSettings(method: .zstd, zstdLevel: level))
        // RFC 8878 section 3.1.1.1: magic, descriptor (bit 2: checksum), window descriptor (5 bits of log - 10).
        #expect(packed.prefix(4) == [0x28, 0xB5, 0x2F, 0xFD])
        #expect(packed[4] & 0x04 == 0x04)
        #expect(packed[4] & 0x20 == 0, "a stream of unknown length is not single-segment")
        #expect(Int(packed[5] >> 3) + 10 <= 23)
        #expect(try Samples.decompress(packed, .zstd) == bytes)
    }

    /// The headers WAL-G writes; walg.md section 5.1, from its objects.
    @Test func `headers are WAL-G's`() throws {
        let bytes = Samples.compressible(1000)
        let large = try Samples.compress(bytes, CompressionSettings(method: .lz4, lz4BlockSize: .mib4))
        #expect(large.prefix(7) == [0x04, 0x22, 0x4D, 0x18, 0x64, 0x70, 0xB9])
        let small = try Samples.compress(bytes, CompressionSettings(method: .lz4))
        #expect(small.prefix(6) == [0x04, 0x22, 0x4D, 0x18, 0x64, 0x50])
        let lzma = try Samples.compress(bytes, CompressionSettings(method: .lzma))
        #expect(Array(lzma.prefix(13)) == [0x5D, 0, 0, 0x80, 0] + [UInt8](repeating: 0xFF, count: 8))
        let brotli = try Samples.compress(bytes, CompressionSettings(method: .brotli))
        // RFC 7932 section 9.1: WBITS 22 is the four bits 1011.
        #expect(brotli[0] & 0x0F == 0x0B)
    }

    @Test(arguments: CompressionMethod.allCases)
    func `an error of the receiver ends the stream`(method: CompressionMethod) throws {
        let compressor = try Compressor(CompressionSettings(method: method))
        let refusal = StreamError(.unsupported, operation: "test", offset: 0, detail: "no")
        let bytes = Samples.random(4 << 20)
        #expect(throws: refusal) {
            try compressor.update(bytes.span.bytes) { (_) throws(StreamError) in throw refusal }
            try compressor.finish { (_) throws(StreamError) in throw refusal }
        }
        #expect(throws: refusal) { try compressor.finish { (_) throws(StreamError) in } }
    }
}
