import TestSupport
import Testing

@testable import Postgres

/// Runs the verifier over a whole segment.
@discardableResult
func verify(
    _ segment: [UInt8], _ name: WALSegmentName, _ size: WALSegmentSize, systemIdentifier: UInt64? = nil,
    isPartial: Bool = false, chunk: Int = 1 << 20
) throws -> WALSegmentVerifier {
    var verifier = WALSegmentVerifier(name: name, size: size, systemIdentifier: systemIdentifier, isPartial: isPartial)
    for start in stride(from: 0, to: segment.count, by: chunk) {
        try verifier.update(segment.span.bytes.extracting(start..<min(segment.count, start + chunk)))
    }
    try verifier.finish()
    return verifier
}

@Suite struct WALSegmentVerifierTests {
    static let size = WALSegmentSize(byteCount: 1 << 20) ?? .standard
    private var size: WALSegmentSize { Self.size }
    private let systemIdentifier: UInt64 = 7_000_000_000_000_000_001

    /// Small records, some over pages, then a switch.
    private func typical(seed: UInt64 = 1, timeline: TimelineID = 1, records: Int = 300) -> SyntheticWAL {
        var random = SeededGenerator(seed: seed)
        var wal = SyntheticWAL(size: size, timeline: timeline)
        for _ in 0..<records {
            let length = UInt64.random(in: 0..<20, using: &random) == 0 ? 9000 : 300
            wal.append(random.bytes(Int(random.next() % UInt64(length))), manager: UInt8(random.next() % 22))
        }
        wal.switchSegment()
        return wal
    }

    private func error(
        _ segment: [UInt8], _ wal: SyntheticWAL, index: Int = 0, name: WALSegmentName? = nil,
        systemIdentifier: UInt64? = nil
    ) -> PostgresError? {
        do {
            try verify(segment, name ?? wal.name(index), wal.size, systemIdentifier: systemIdentifier)
            return nil
        } catch { return error as? PostgresError }
    }

    @Test(arguments: ["00000001000000000000000D-15", "000000010000000000000018-13"])
    func `a golden segment is good, and every flip in its records and pages is noticed`(file: String) throws {
        let content = try Golden.bytes(file)
        let name = try #require(WALSegmentName(file.prefix(24)))
        let segment = content + [UInt8](repeating: 0, count: size.byteCount - content.count)
        let verifier = try verify(segment, name, size)
        #expect(verifier.contentEnd == content.count)
        #expect(!verifier.hasStaleTail)
        #expect(verifier.recordCount > 200)
        #expect(verifier.header?.majorVersion == Int(file.suffix(2)))
        let identifier = try #require(verifier.header?.systemIdentifier)
        var random = SeededGenerator(seed: 3)
        var passed = 0
        let count = 400
        for _ in 0..<count {
            var flipped = segment
            flipped[Int(random.next() % UInt64(content.count))] ^= 1 << UInt8(random.next() % 8)
            if (try? verify(flipped, name, size, systemIdentifier: identifier)) != nil { passed += 1 }
        }
        // Gaps between records, unused bytes of page headers, and the end of a record begun before.
        #expect(passed < count / 12, "\(passed) of \(count) flips were not noticed")
    }

    @Test(arguments: ["000000010000000000000008-17", "000000010000000000000008-18"])
    func `a golden segment of a later version is good`(file: String) throws {
        let content = try Golden.bytes(file)
        let name = try #require(WALSegmentName(file.prefix(24)))
        let segment = content + [UInt8](repeating: 0, count: WALSegmentSize.standard.byteCount - content.count)
        let verifier = try verify(segment, name, .standard)
        #expect(verifier.contentEnd == content.count)
        #expect(verifier.recordCount == 8)
        #expect(verifier.header?.majorVersion == Int(file.suffix(2)))
    }

    @Test(arguments: [1 << 20, 8192, 8191, 4096, 24, 1, 100_003])
    func `chunks may have any size`(chunk: Int) throws {
        let wal = typical()
        let verifier = try verify(wal.segment(0), wal.name(0), size, chunk: chunk)
        #expect(verifier.recordCount == 301)
        #expect(verifier.contentEnd != nil)
    }

    @Test(arguments: 1...6)
    func `a flipped bit is refused wherever the segment is covered`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var wal = SyntheticWAL(size: size)
        wal.append(random.bytes(3000))
        wal.abandon(random.bytes(60_000), pages: 3)
        wal.append(random.bytes(26), info: 0xD0, manager: 0, overwrites: true)
        while wal.segmentRest > 900_000 { wal.append(random.bytes(Int(random.next() % 5000))) }
        wal.append(random.bytes(wal.segmentRest + 100_000))
        wal.append(random.bytes(20_000))
        wal.switchSegment()
        #expect(wal.segmentCount == 2)
        for index in 0..<2 {
            let segment = wal.segment(index)
            let covered = wal.coverage(index)
            try verify(segment, wal.name(index), size, systemIdentifier: systemIdentifier)
            for _ in 0..<40 {
                var offset = Int(random.next() % UInt64(size.byteCount))
                while !covered[offset] { offset = (offset + 1) % size.byteCount }
                // XLP_BKP_REMOVABLE may be set or not.
                let bit = offset % 8192 == 2 ? 0 : UInt8(random.next() % 8)
                var flipped = segment
                flipped[offset] ^= 1 << bit
                #expect(throws: PostgresError.self, "byte \(offset), bit \(bit)") {
                    try verify(flipped, wal.name(index), size, systemIdentifier: systemIdentifier)
                }
            }
        }
    }

    @Test func `every flipped bit of the first two pages is refused where they are covered`() throws {
        let wal = typical(records: 90)
        let segment = wal.segment(0)
        for offset in 0..<16384 where wal.isCovered[offset] && (offset % 8192 < 72 || offset % 8192 > 8100) {
            for bit in 0..<8 where !(offset % 8192 == 2 && bit == 2) {
                var flipped = segment
                flipped[offset] ^= 1 << UInt8(bit)
                #expect(throws: PostgresError.self, "byte \(offset), bit \(bit)") {
                    try verify(flipped, wal.name(0), size, systemIdentifier: systemIdentifier)
                }
            }
        }
    }

    @Test func `a record may be longer than segments`() throws {
        var random = SeededGenerator(seed: 5)
        var wal = SyntheticWAL(size: size)
        wal.append(random.bytes(100))
        wal.append(random.bytes(3 << 20))
        wal.append(random.bytes(100))
        wal.switchSegment()
        #expect(wal.segmentCount == 4)
        let counts = try (0..<4).map { try verify(wal.segment($0), wal.name($0), size).recordCount }
        #expect(counts == [1, 0, 0, 2])
        // A page in the middle that tells another rest.
        var changed = wal.segment(1)
        changed[8192 * 7 + 16] ^= 1
        #expect(error(changed, wal, index: 1)?.kind == .corrupted)
    }

    @Test(arguments: [8, 16])
    func `a header may be split over pages`(left: Int) throws {
        var random = SeededGenerator(seed: 6)
        var wal = SyntheticWAL(size: size)
        wal.append([])
        wal.append(random.bytes(wal.pageRest - left - 24))
        #expect(wal.pageRest == left)
        wal.append(random.bytes(50))
        wal.switchSegment()
        #expect(try verify(wal.segment(0), wal.name(0), size).recordCount == 4)
    }

    @Test(arguments: [8, 16])
    func `a switch record may be split over segments`(left: Int) throws {
        var random = SeededGenerator(seed: 7)
        var wal = SyntheticWAL(size: size)
        wal.append([])
        while wal.segmentRest > 8192 { wal.append(random.bytes(wal.pageRest == 0 ? 8192 - 48 : wal.pageRest - 24)) }
        wal.append([])
        wal.append(random.bytes(wal.segmentRest - left - 24))
        #expect(wal.segmentRest == left)
        wal.switchSegment()
        #expect(wal.segmentCount == 2)
        #expect(try verify(wal.segment(0), wal.name(0), size).contentEnd == nil)
        #expect(try verify(wal.segment(1), wal.name(1), size).contentEnd == 40 + 24 - left)
    }

    @Test func `a segment may end exactly with a record`() throws {
        var random = SeededGenerator(seed: 8)
        var wal = SyntheticWAL(size: size)
        wal.fillSegment { random.bytes($0) }
        #expect(try verify(wal.segment(0), wal.name(0), size).recordCount == 128)
    }

    @Test func `the first segment of a timeline begins with pages of the one before`() throws {
        var random = SeededGenerator(seed: 9)
        var wal = SyntheticWAL(size: size, timeline: 2)
        for _ in 0..<100 { wal.append(random.bytes(500)) }
        wal.timeline = 5
        for _ in 0..<100 { wal.append(random.bytes(500)) }
        wal.switchSegment()
        try verify(wal.segment(0), wal.name(0), size)
        let older = WALSegmentName(timeline: 4, number: wal.firstNumber, size: size)
        #expect(error(wal.segment(0), wal, name: older)?.kind == .corrupted)
        let oldest = WALSegmentName(timeline: 1, number: wal.firstNumber, size: size)
        #expect(
            error(wal.segment(0), wal, name: oldest)
                == PostgresError(
                    .foreign, subject: oldest.description, offset: 4,
                    detail: "written on timeline 2, later than the name's"))
        wal.timeline = 1
        var back = SyntheticWAL(size: size, timeline: 5)
        for _ in 0..<100 { back.append(random.bytes(500)) }
        back.timeline = 2
        for _ in 0..<100 { back.append(random.bytes(500)) }
        back.switchSegment()
        #expect(
            error(back.segment(0), back, name: WALSegmentName(timeline: 5, number: 5, size: size))?.kind == .corrupted)
    }

    @Test func `a record that a crash cut off may be given up at a segment's start`() throws {
        var random = SeededGenerator(seed: 10)
        var wal = SyntheticWAL(size: size)
        wal.append(random.bytes(100))
        wal.abandon(random.bytes(3 << 20), pages: 128)
        wal.append(random.bytes(26), info: 0xD0, manager: 0, overwrites: true)
        wal.append(random.bytes(100))
        wal.switchSegment()
        #expect(try verify(wal.segment(0), wal.name(0), size).recordCount == 1)
        #expect(try verify(wal.segment(1), wal.name(1), size).recordCount == 3)
    }

    @Test func `what a recycled file held may follow a switch`() throws {
        let wal = typical()
        var segment = wal.segment(0)
        segment[size.byteCount - 1] = 7
        #expect(try verify(segment, wal.name(0), size).hasStaleTail)
        #expect(try !verify(wal.segment(0), wal.name(0), size).hasStaleTail)
    }

    @Test func `a segment that was not written to its end is incomplete, and good only as a partial one`() throws {
        var random = SeededGenerator(seed: 11)
        var wal = SyntheticWAL(size: size)
        for _ in 0..<200 { wal.append(random.bytes(700)) }
        let zeros = wal.bytes + [UInt8](repeating: 0, count: wal.segmentRest)
        #expect(
            error(zeros, wal)
                == PostgresError(
                    .incomplete, subject: "000000010000000000000005", offset: wal.bytes.count,
                    detail: "nothing was written from here on"))
        // Up to the page's end, then what the file held as an earlier segment.
        let old = typical(seed: 12).bytes
        var stale = wal.bytes + [UInt8](repeating: 0, count: wal.pageRest)
        #expect(stale.count.isMultiple(of: 8192))
        stale += old[stale.count...]
        var recycled = SyntheticWAL(size: size, firstNumber: 4)
        for _ in 0..<2000 { recycled.append(random.bytes(700)) }
        var cut = wal
        cut.abandon(random.bytes(100_000), pages: 2)
        let mixed = cut.bytes + recycled.segment(0)[cut.bytes.count...]
        #expect(error(mixed, wal)?.kind == .incomplete)
        for segment in [zeros, stale, mixed] {
            #expect(throws: PostgresError.self) { try verify(segment, wal.name(0), size) }
            let verifier = try verify(segment, wal.name(0), size, isPartial: true)
            #expect(verifier.recordCount == 200)
            #expect(verifier.contentEnd != nil)
        }
        #expect(throws: PostgresError.self) {
            try verify(Array(zeros.dropLast(8192)), wal.name(0), size, isPartial: true)
        }
    }

    @Test func `truncated and overlong segments are refused`() throws {
        let wal = typical()
        let segment = wal.segment(0)
        for count in [1, 39, 40, 8191, 8192, 8193, 65536, size.byteCount - 1] {
            #expect(
                throws: PostgresError(
                    .truncated, subject: "000000010000000000000005", offset: count,
                    detail: "the segment ends after \(count) of 1048576 bytes")
            ) { try verify(Array(segment[..<count]), wal.name(0), size) }
        }
        #expect(throws: PostgresError.self) { try verify([], wal.name(0), size) }
        #expect(error(segment + [0], wal)?.detail == "the segment is longer than 1048576 bytes")
    }

    @Test func `another segment, cluster or segment size is foreign`() throws {
        let wal = typical()
        let segment = wal.segment(0)
        let other = wal.name(1)
        #expect(
            error(segment, wal, name: other)?.description
                == "000000010000000000000006, byte 8: holds the WAL from 0/500000 on, where 0/600000 is expected: "
                + "it is another segment's file")
        #expect(
            error(segment, wal, systemIdentifier: 42)?.description
                == "000000010000000000000005, byte 24: written by the cluster with system identifier "
                + "7000000000000000001, expected 42")
        #expect(error(segment, wal, systemIdentifier: systemIdentifier) == nil)
        let two = try #require(WALSegmentSize(byteCount: 2 << 20))
        do {
            try verify(segment + segment, WALSegmentName(timeline: 1, number: 5, size: two), two)
            Issue.record("a segment of another size was accepted")
        } catch let error as PostgresError {
            #expect(error.kind == .foreign)
            #expect(error.detail == "written for segments of 1 MiB, expected 2 MiB")
        }
        let impossible = WALSegmentName(timeline: 1, high: 0, low: 0x1005)
        #expect(error(segment, wal, name: impossible)?.kind == .foreign)
    }

    @Test func `zeros and other files are no segments`() throws {
        let wal = typical()
        #expect(error([UInt8](repeating: 0, count: size.byteCount), wal)?.kind == .malformed)
        var random = SeededGenerator(seed: 13)
        #expect(error(random.bytes(size.byteCount), wal)?.kind == .malformed)
        var later = wal.segment(0)
        later.replaceSubrange(0..<2, with: [0x20, 0xD1])
        #expect(error(later, wal)?.kind == .unsupported)
    }

    @Test func `pages in each other's place are refused`() throws {
        let wal = typical()
        var segment = wal.segment(0)
        let second = Array(segment[8192..<16384])
        segment.replaceSubrange(8192..<16384, with: segment[16384..<24576])
        segment.replaceSubrange(16384..<24576, with: second)
        #expect(error(segment, wal)?.offset == 8200)
    }
}
