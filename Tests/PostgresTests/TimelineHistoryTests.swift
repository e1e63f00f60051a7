import Testing

@testable import Postgres

@Suite struct TimelineHistoryTests {
    private func parse(_ text: String, _ timeline: TimelineID) throws -> TimelineHistory {
        try TimelineHistory(parsing: Array(text.utf8), timeline: timeline)
    }

    /// As PostgreSQL 15 wrote it after two promotions.
    private let golden = "1\t0/3000148\tno recovery target specified\n\n2\t0/50000D8\tbefore 2026-01-01 00:00:00+00\n"

    @Test func `the ancestry is read`() throws {
        let history = try parse(golden, 3)
        #expect(
            history.entries == [
                .init(timeline: 1, switchpoint: LSN(0x300_0148), reason: "no recovery target specified"),
                .init(timeline: 2, switchpoint: LSN(0x500_00D8), reason: "before 2026-01-01 00:00:00+00"),
            ])
        #expect(history.timeline(at: LSN(0x300_0147)) == 1)
        #expect(history.timeline(at: LSN(0x300_0148)) == 2)
        #expect(history.timeline(at: LSN(0x500_00D8)) == 3)
        #expect(history.switchpoint(of: 2) == LSN(0x500_00D8))
        #expect(history.switchpoint(of: 3) == nil)
    }

    @Test func `comments, blank lines, spaces and a missing reason are accepted`() throws {
        let history = try parse("# made by hand\n\n  # another\n \t7   0/A\n9\tA/0\t\n", 12)
        #expect(
            history.entries == [
                .init(timeline: 7, switchpoint: LSN(10), reason: ""),
                .init(timeline: 9, switchpoint: LSN(0xA_0000_0000), reason: ""),
            ])
    }

    @Test(
        arguments: [
            ("1\t0/3000148\tx", PostgresError.Kind.truncated, 0 as Int?, "the last line does not end"),
            ("x\t0/0\ty\n", .malformed, 0, "the line does not begin with a timeline's number"),
            ("0\t0/1\ty\n", .malformed, 0, "the line does not begin with a timeline's number"),
            ("1\n", .malformed, 0, "no LSN follows timeline 1"),
            ("1\t03000148\tx\n", .malformed, 0, "no LSN follows timeline 1"),
            ("2\t0/1\tx\n1\t0/2\tx\n", .malformed, 8, "timeline 1 follows timeline 2"),
            ("1\t0/1\tx\n1\t0/2\tx\n", .malformed, 8, "timeline 1 follows timeline 1"),
            ("3\t0/1\tx\n", .malformed, 0, "timeline 3 cannot be an ancestor of timeline 3"),
            ("1\t0/1\tx\0\n", .malformed, 0, "a NUL byte"),
            ("# nothing\n", .malformed, nil, "no ancestor is named"),
            ("", .malformed, nil, "no ancestor is named"),
        ])
    func `a malformed file is refused`(text: String, kind: PostgresError.Kind, offset: Int?, detail: String) {
        #expect(throws: PostgresError(kind, subject: "00000003.history", offset: offset, detail: detail)) {
            try parse(text, 3)
        }
    }

    @Test func `every prefix that cuts a line is refused`() {
        let bytes = Array(golden.utf8)
        for count in 0..<bytes.count where count == 0 || bytes[count - 1] != UInt8(ascii: "\n") {
            #expect(throws: PostgresError.self) { try TimelineHistory(parsing: Array(bytes[..<count]), timeline: 3) }
        }
    }
}
