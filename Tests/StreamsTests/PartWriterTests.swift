import Bytes
import Digests
import Streams
import Testing

@Suite struct PartWriterTests {
    private func bytes(of parts: [Part]) -> [UInt8] {
        parts.flatMap { part in part.withUnsafeBytes { [UInt8]($0) } }
    }

    @Test(arguments: [0, 1, 4095, 4096, 4097, 8192, 40000], [1, 100, 4096, 50000])
    func `parts are full but the last`(count: Int, chunk: Int) throws {
        let sample = Samples.random(count)
        let pool = PartPool(partSize: 4096, limit: 2)
        let writer = PartWriter(pool: pool)
        var parts: [Part] = []
        try Samples.forEachChunk(of: sample, chunk) {
            writer.append($0)
            if writer.hasFilled { parts += writer.takeFilled() }
        }
        #expect(writer.sha256 == nil)
        parts += writer.finish()
        #expect(parts.count == (count + 4095) / 4096)
        #expect(parts.dropLast().allSatisfy { $0.isFull })
        #expect(bytes(of: parts) == sample)
        #expect(writer.byteCount == count)
        #expect(writer.sha256 == MessageDigest.sha256(sample.span.bytes))
    }

    @Test func `an empty pool is overdrawn`() {
        let pool = PartPool(partSize: 16, limit: 1)
        let writer = PartWriter(pool: pool, digesting: false)
        writer.append(Samples.random(100).span.bytes)
        #expect(writer.takeFilled().count == 6)
        #expect(writer.takeFilled().isEmpty)
        #expect(writer.finish().map(\.count) == [4])
        #expect(writer.sha256 == nil)
    }

    @Test func `an abandoned writer gives its parts back`() {
        let pool = PartPool(partSize: 16, limit: 2)
        do {
            let writer = PartWriter(pool: pool)
            writer.append(Samples.random(20).span.bytes)
            #expect(pool.tryTake() == nil)
        }
        let first = pool.tryTake()
        #expect(first?.count == 0)
        #expect(pool.tryTake() != nil)
        #expect(pool.tryTake() == nil)
    }
}
