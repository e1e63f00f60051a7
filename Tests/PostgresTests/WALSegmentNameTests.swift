import TestSupport
import Testing

@testable import Postgres

@Suite struct WALSegmentNameTests {
    @Test(
        arguments: [
            (1 << 20, true), (16 << 20, true), (1 << 30, true), (1 << 19, false), (1 << 31, false), (0, false),
            (-1, false), (3 << 20, false), ((16 << 20) + 1, false),
        ])
    func `segment sizes are powers of two from a MiB to a GiB`(byteCount: Int, isSize: Bool) {
        #expect((WALSegmentSize(byteCount: byteCount) != nil) == isSize)
    }

    /// Names as `pg_walfile_name` of servers with segments of that size gives them.
    @Test(
        arguments: [
            (16, "0/5000028", "000000010000000000000005"), (16, "1/0", "000000010000000100000000"),
            (16, "0/FFFFFFFF", "0000000100000000000000FF"), (1, "0/5000028", "000000010000000000000050"),
            (1, "2/FFF00000", "000000010000000200000FFF"), (1024, "5/C0000001", "000000010000000500000003"),
        ])
    func `a position lies in a segment`(mebibytes: Int, lsn: String, text: String) throws {
        let size = try #require(WALSegmentSize(byteCount: mebibytes << 20))
        let position = try #require(LSN(lsn))
        let name = WALSegmentName.containing(position, timeline: 1, size: size)
        #expect(name.description == text)
        #expect(WALSegmentName(text) == name)
        #expect(name.isPossible(size))
        #expect(name.start(size) <= position)
        #expect(position.rawValue - name.start(size).rawValue < UInt64(size.byteCount))
    }

    @Test func `the next segment steps into the higher half`() throws {
        let last = try #require(WALSegmentName("0000000300000001000000FF"))
        #expect(last.next(.standard).description == "000000030000000200000000")
        let one = try #require(WALSegmentSize(byteCount: 1 << 20))
        #expect(last.next(one).description == "000000030000000100000100")
    }

    @Test func `a name that no segment of this size has is told`() throws {
        let name = try #require(WALSegmentName("000000010000000000000100"))
        #expect(!name.isPossible(.standard))
        #expect(WALSegmentName("FFFFFFFFFFFFFFFFFFFFFFFF")?.isPossible(.standard) == false)
        #expect(WALSegmentName("FFFFFFFFFFFFFFFFFFFFFFFF")?.start(.standard) != nil)
    }

    @Test func `numbers and names round trip`() throws {
        var random = SeededGenerator(seed: 1)
        for shift in 20...30 {
            let size = try #require(WALSegmentSize(byteCount: 1 << shift))
            for _ in 0..<50 {
                let number = UInt64.random(in: 0..<UInt64.max >> UInt64(shift), using: &random)
                let name = WALSegmentName(timeline: 7, number: number, size: size)
                #expect(name.number(size) == number)
                #expect(WALSegmentName(name.description) == name)
                #expect(name < name.next(size))
            }
        }
    }

    @Test(
        arguments: [
            "000000010000000000000005", "00000001000000000000000A.partial", "00000002.history",
            "000000010000000000000003.00000028.backup", "FFFFFFFFFFFFFFFFFFFFFFFF", "0000000A.history",
        ])
    func `the names PostgreSQL gives to its files are read`(text: String) throws {
        let name = try #require(WALFileName(text))
        #expect(name.text == text)
    }

    @Test func `each form is told apart`() throws {
        let segment = try #require(WALSegmentName("00000001000000000000000A"))
        #expect(WALFileName("00000001000000000000000A") == .segment(segment))
        #expect(WALFileName("00000001000000000000000A.partial") == .partial(segment))
        #expect(WALFileName("00000010.history") == .history(16))
        #expect(WALFileName("00000001000000000000000A.000000F8.backup") == .backupHistory(segment, offset: 0xF8))
    }

    @Test(
        arguments: [
            "", "00000001000000000000000", "0000000100000000000000055", "00000001000000000000000a",
            "000000000000000000000001", "00000000.history", "00000001000000000000000A.Partial", "0000000a.history",
            "00000001000000000000000A.", "00000001000000000000000A.partial.lz4", "0000001.history", "000000011.history",
            ".history", ".partial", ".backup", "000000010000000000000003.00000028", "000000010000000000000003..backup",
            "000000010000000000000003.0000028.backup", "000000010000000000000003.000000028.backup",
            "000000010000000000000003.0000002g.backup", "000000010000000000000003-00000028.backup",
            "../00000001000000000000000A", "pg_wal/00000001000000000000000A", "00000001000000000000000A ",
            " 0000001000000000000000A", "+00000010000000000000000", "0000000100000000000000\u{0660}", "archive_status",
            "00000001000000000000000A\n", "00000001000000000000000A.history", "00000001.partial", "RECOVERYXLOG",
        ])
    func `any other name is refused`(text: String) {
        #expect(WALFileName(text) == nil)
    }
}
