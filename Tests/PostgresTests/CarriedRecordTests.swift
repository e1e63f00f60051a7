import Bytes
import TestSupport
import Testing

@testable import Postgres

@Suite struct CarriedRecordTests {
    private let size = WALSegmentSize(byteCount: 1 << 20) ?? .standard

    /// Three segments; a record of more than one segment goes from the first into the last, or a small one over the
    /// border.
    private func wal(bodies: [Int]) -> SyntheticWAL {
        var random = SeededGenerator(seed: 11)
        var wal = SyntheticWAL(size: size)
        for body in bodies { wal.append(random.bytes(body)) }
        while wal.segmentCount < 3 { wal.append(random.bytes(500)) }
        wal.switchSegment()
        return wal
    }

    private func verify(_ wal: SyntheticWAL, _ index: Int, _ bytes: [UInt8]? = nil, after carried: CarriedRecord?)
        throws
        -> WALSegmentVerifier
    {
        var verifier = WALSegmentVerifier(
            name: wal.name(index), size: size, systemIdentifier: nil, isPartial: false, continuing: carried)
        let bytes = bytes ?? wal.segment(index)
        try verifier.update(bytes.span.bytes)
        try verifier.finish()
        return verifier
    }

    @Test(arguments: [[1_040_000, 20_000], [1_000_000, 1_500_000], Array(repeating: 997, count: 1100)])
    func `a record over a segment's border is checked in the next one, every flip on either side is noticed`(
        bodies: [Int]
    ) throws {
        let wal = wal(bodies: bodies)
        let first = try verify(wal, 0, after: nil)
        let carried = try #require(first.carried)
        let second = try verify(wal, 1, after: carried)
        #expect(carried.segment == wal.name(1))
        #expect(CarriedRecord(carried.text) == carried)
        // Flips in the part that lies in the next segment.
        let rest = Int(min(carried.remaining, 100_000))
        var random = SeededGenerator(seed: 12)
        for _ in 0..<40 {
            var bytes = wal.segment(1)
            let page = Int.random(in: 0..<max(1, rest / 8192), using: &random)
            let at = page * 8192 + (page == 0 ? 40 : 24) + Int.random(in: 0..<max(1, min(rest, 8000)), using: &random)
            bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let isRefused: Bool
            do {
                let flipped = try verify(wal, 1, bytes, after: carried)
                // A record over two borders shows in the third segment.
                guard let on = flipped.carried, second.carried != nil else { throw Unnoticed() }
                _ = try verify(wal, 2, after: on)
                isRefused = false
            } catch is Unnoticed {
                isRefused = false
            } catch {
                isRefused = true
            }
            #expect(isRefused, "a flip at \(at)")
        }
        // A flip in the part that lies in the first segment: nothing is noticed there, but in the next.
        var bytes = wal.segment(0)
        bytes[bytes.count - 5] ^= 16
        if let damaged = try? verify(wal, 0, bytes, after: nil).carried {
            #expect(throws: PostgresError.self) {
                var on: CarriedRecord? = damaged
                for index in 1...2 { on = try verify(wal, index, after: on).carried }
            }
        }
    }

    private struct Unnoticed: Error {}

    @Test func `what is carried into another segment is of no account`() throws {
        let wal = wal(bodies: [1_040_000, 20_000])
        let carried = try verify(wal, 0, after: nil).carried
        _ = try verify(wal, 2, after: carried)
    }

    @Test func `a segment that goes on with another record is refused`() throws {
        let wal = wal(bodies: [1_040_000, 20_000])
        let other = self.wal(bodies: [1_030_000, 40_000])
        let carried = try #require(try verify(other, 0, after: nil).carried)
        #expect(throws: PostgresError.self) { try verify(wal, 1, after: carried) }
    }

    @Test(arguments: ["", "x", "000000010000000000000006 0/1 5 7 1", "000000010000000000000006 0/1 0 7 1 ."])
    func `other text is none`(text: String) {
        #expect(CarriedRecord(text) == nil)
    }
}
