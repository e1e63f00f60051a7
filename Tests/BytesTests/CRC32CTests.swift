import Bytes
import TestSupport
import Testing

@Suite struct CRC32CTests {
    // RFC 3720, B.4, where the bytes of the checksum stand in the order they are sent; and the check value of the
    // catalogue of CRC algorithms.
    private static let vectors: [([UInt8], UInt32)] = [
        (Array(repeating: 0, count: 32), 0x8A91_36AA), (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E), (Array((0..<32).reversed()), 0x113F_DB5C),
        (
            [
                0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0,
                0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
            ], 0xD996_3A56
        ),
        (Array("123456789".utf8), 0xE306_9283), ([], 0),
    ]

    @Test(arguments: vectors)
    func `the vectors of the RFC are kept`(bytes: [UInt8], expected: UInt32) {
        #expect(CRC32C.checksum(bytes.span.bytes) == expected)
    }

    @Test func `pieces of any length and alignment give the checksum of the whole`() {
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(5000)
        let whole = CRC32C.checksum(bytes.span.bytes)
        for size in [1, 3, 7, 8, 9, 63, 64, 65, 1024] {
            var crc = CRC32C()
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                crc = CRC32C(continuing: crc.value)
                crc.update(piece.span.bytes)
            }
            #expect(crc.value == whole, "\(size)")
        }
    }

    @Test func `the kernel agrees with the definition`() {
        var random = SeededGenerator(seed: 2)
        for length in 0..<200 {
            let bytes = random.bytes(length)
            var register = UInt32.max
            for byte in bytes {
                register ^= UInt32(byte)
                for _ in 0..<8 { register = register >> 1 ^ (register & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
            #expect(CRC32C.checksum(bytes.span.bytes) == ~register)
        }
    }
}
