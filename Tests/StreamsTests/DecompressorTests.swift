import Foundation
import Streams
import Testing

@Suite struct DecompressorTests {
    @Test(
        .enabled(if: Codec.areInstalled, "a codec's own tool is missing here"),
        arguments: Codec.all, SampleCase.all)
    func `we read what the codec's own tool writes`(codec: Codec, sample: SampleCase) async throws {
        let bytes = sample.bytes
        let packed = try await Oracle.run(codec.encode, input: bytes)
        #expect(try Samples.decompress(packed, codec.format) == bytes)
        #expect(try Samples.decompress(packed, codec.format, chunk: 1021) == bytes)
    }

    static let variants: [(StoredFormat, [String])] = [
        (.lz4, ["lz4", "-z", "-c", "-9", "-B4", "-BD", "-BX"]),
        (.lz4, ["lz4", "-z", "-c", "-B7", "-BI"]),
        (.lz4, ["lz4", "-z", "-c", "--no-frame-crc"]),
        (.zstd, ["zstd", "-c", "-19", "--no-check"]),
        (.zstd, ["zstd", "-c", "--long=27"]),
        (.zstd, ["zstd", "-c", "--fast=5"]),
        (.brotli, ["brotli", "-c", "-q", "11", "-w", "24"]),
        (.brotli, ["brotli", "-c", "-q", "0", "-w", "10"]),
        (.lzma, ["xz", "--format=lzma", "-c", "--lzma1=lc=0,lp=2,pb=1,dict=4KiB"]),
        (.gzip, ["gzip", "-c", "-1"]),
    ]

    @Test(
        .enabled(if: Codec.areInstalled, "a codec's own tool is missing here"),
        arguments: variants)
    func `any legal parameter is read`(format: StoredFormat, command: [String]) async throws {
        let bytes = Samples.compressible(1 << 20) + Samples.random(1 << 18)
        #expect(try Samples.decompress(try await Oracle.run(command, input: bytes), format) == bytes)
    }

    @Test(
        .enabled(if: Codec.areInstalled, "a codec's own tool is missing here"),
        arguments: Codec.all, [1, 7, 1 << 20])
    func `concatenated frames are read where the format knows them`(codec: Codec, chunk: Int) async throws {
        let first = Samples.compressible(5000)
        let second = Samples.random(3000)
        let packed = try await Oracle.run(codec.encode, input: first)
        let both = try await packed + Oracle.run(codec.encode, input: second) + Oracle.run(codec.encode, input: [])
        switch codec.format {
        case .lz4, .zstd, .gzip:
            #expect(try Samples.decompress(both, codec.format, chunk: chunk) == first + second)
        default:
            let expected = StreamError(
                .corrupted, operation: "decompress \(codec.format.rawValue)", offset: packed.count,
                detail: "bytes follow the end of the stream")
            #expect(throws: expected) { try Samples.decompress(both, codec.format, chunk: chunk) }
        }
    }

    @Test(arguments: [CompressionMethod.lz4, .zstd])
    func `skippable frames are skipped but are no content`(method: CompressionMethod) throws {
        let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]
        let bytes = Samples.compressible(5000)
        let packed = try Samples.compress(bytes, CompressionSettings(method: method))
        for chunk in [1, 1 << 20] {
            #expect(
                try Samples.decompress(skippable + packed + skippable, method.storedFormat, chunk: chunk) == bytes)
            #expect(throws: StreamError.self) {
                try Samples.decompress(skippable, method.storedFormat, chunk: chunk)
            }
        }
    }

    @Test(arguments: [CompressionMethod.lz4, .zstd, .brotli, .lzma])
    func `every truncation is refused`(method: CompressionMethod) throws {
        let bytes = Samples.compressible(3000) + Samples.random(200)
        let packed = try Samples.compress(bytes, CompressionSettings(method: method))
        for count in packed.indices {
            for chunk in [1, 1 << 20] {
                let error = #expect(throws: StreamError.self) {
                    try Samples.decompress(Array(packed[..<count]), method.storedFormat, chunk: chunk)
                }
                #expect(error?.kind == .truncated, "\(count) of \(packed.count)")
                #expect(error?.offset == count)
            }
        }
    }

    @Test(arguments: [CompressionMethod.lz4, .zstd, .brotli, .lzma])
    func `trailing bytes are refused`(method: CompressionMethod) throws {
        let packed = try Samples.compress(Samples.compressible(3000), CompressionSettings(method: method))
        for tail: [UInt8] in [[0], [0xFF], [10, 10], [UInt8](repeating: 0, count: 4096)] {
            for chunk in [1, 1 << 20] {
                #expect(throws: StreamError.self) {
                    try Samples.decompress(packed + tail, method.storedFormat, chunk: chunk)
                }
            }
        }
    }

    /// lz4 and zstd carry a checksum: no flip may deliver other bytes.
    ///
    /// brotli and lzma carry none: there the test only asks that nothing crashes, and says how much goes through.
    @Test(arguments: [CompressionMethod.lz4, .zstd, .brotli, .lzma])
    func `every flipped byte is refused where there is a checksum`(method: CompressionMethod) throws {
        let bytes = Samples.compressible(900) + Samples.random(100)
        let packed = try Samples.compress(bytes, CompressionSettings(method: method))
        var refused = 0
        var harmless = 0
        var different = 0
        for index in packed.indices {
            for mask: UInt8 in [0x01, 0x10, 0xFF] {
                var flipped = packed
                flipped[index] ^= mask
                do {
                    let output = try Samples.decompress(flipped, method.storedFormat)
                    if output == bytes { harmless += 1 } else { different += 1 }
                } catch let error as StreamError {
                    #expect(error.operation == "decompress \(method.rawValue)")
                    refused += 1
                }
            }
        }
        print("\(method.rawValue): \(refused) refused, \(harmless) harmless, \(different) delivered other bytes")
        #expect(refused > 0)
        if method == .lz4 || method == .zstd {
            // Harmless are a larger window, an unused bit, or a match that copies the same bytes from elsewhere.
            #expect(different == 0)
        }
    }

    @Test(.enabled(if: Codec.areInstalled, "a codec's own tool is missing here"))
    func `gzip is refused when it is cut or damaged`() async throws {
        let bytes = Samples.compressible(900) + Samples.random(100)
        let packed = try await Oracle.run(["gzip", "-c", "-n"], input: bytes)
        for count in packed.indices {
            let error = #expect(throws: StreamError.self) { try Samples.decompress(Array(packed[..<count]), .gzip) }
            #expect(error?.kind == .truncated)
        }
        for index in packed.indices {
            var flipped = packed
            flipped[index] ^= 0x11
            // Only time, extra flags and system, bytes 4 to 9 of the header, mean nothing (RFC 1952 section 2.3).
            if let output = try? Samples.decompress(flipped, .gzip) {
                #expect(output == bytes && 4..<10 ~= index, "byte \(index)")
            }
        }
    }

    @Test func `an error of the receiver comes through and ends the stream`() throws {
        struct Refusal: Error {}
        let packed = try Samples.compress(Samples.random(1000), CompressionSettings(method: .lz4))
        let decompressor = try Decompressor(.lz4)
        #expect(throws: Refusal.self) { try decompressor.forward(packed.span.bytes) { _ in throw Refusal() } }
        #expect(throws: StreamError.self) { try decompressor.finish() }
    }

    @Test func `a damaged checksum is named with its place`() throws {
        var packed = try Samples.compress(Samples.compressible(3000), CompressionSettings(method: .lz4))
        packed[packed.count - 1] ^= 1
        let error = #expect(throws: StreamError.self) { try Samples.decompress(packed, .lz4) }
        #expect(error?.kind == .corrupted)
        #expect(error?.detail == "the content checksum is wrong: the data is damaged")
    }

    @Test(
        .enabled(if: Codec.areInstalled, "a codec's own tool is missing here"))
    func `windows and dictionaries over 128 MiB are refused`() async throws {
        // RFC 8878: descriptor 0 and window log 28.
        let zstd: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, (28 - 10) << 3, 0x01, 0x00, 0x00]
        #expect(
            throws: StreamError(
                .unsupported, operation: "decompress zstd", offset: 0,
                detail: "the frame wants a window of more than 128 MiB; recompress it without --long")
        ) { try Samples.decompress(zstd, .zstd) }
        var lzma = try await Oracle.run(["xz", "--format=lzma", "-c"], input: [1, 2, 3])
        lzma.replaceSubrange(1..<5, with: [0, 0, 0, 0x10])
        let error = #expect(throws: StreamError.self) { try Samples.decompress(lzma, .lzma) }
        #expect(error?.kind == .unsupported)
        lzma.replaceSubrange(1..<5, with: [0, 0, 0, 0x08])
        #expect(try Samples.decompress(lzma, .lzma) == [1, 2, 3])
    }

    @Test(arguments: StoredFormat.allCases.filter { $0 != .none })
    func `bytes of another kind are refused`(format: StoredFormat) {
        for sample in [Samples.random(1000), [UInt8](repeating: 0, count: 1000), [UInt8]("not compressed".utf8)] {
            #expect(throws: StreamError.self) { try Samples.decompress(sample, format) }
        }
    }

    @Test(arguments: [
        ("part_001.tar", StoredFormat.none), ("part_001.tar.", StoredFormat.none), ("part_001.tar.lz4", .lz4),
        ("a/b.c/pg_control.tar.zst", .zst), ("x.br", .brotli), ("x.lzma", .lzma), ("x.gz", .gzip), ("x.lzo", nil),
        ("000000010000000000000001", StoredFormat.none), ("000000010000000000000001.", StoredFormat.none),
        ("00000002.history", StoredFormat.none), ("a.b/000000010000000000000001.partial.br", .brotli),
    ])
    func `the name tells the format`(name: String, format: StoredFormat?) {
        #expect(StoredFormat.ofObject(named: name) == format)
    }
}

extension StoredFormat {
    fileprivate static let zst = StoredFormat.zstd
}
