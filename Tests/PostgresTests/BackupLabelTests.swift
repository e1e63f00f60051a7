import Testing

@testable import Postgres

@Suite struct BackupLabelTests {
    /// As PostgreSQL 15 wrote it.
    private let golden = """
        START WAL LOCATION: 0/2000028 (file 000000010000000000000002)
        CHECKPOINT LOCATION: 0/2000060
        BACKUP METHOD: streamed
        BACKUP FROM: primary
        START TIME: 2026-11-24 09:58:13 UTC
        LABEL: pg_basebackup base: backup
        START TIMELINE: 1

        """

    @Test func `the label is read`() throws {
        let label = try BackupLabel(parsing: Array(golden.utf8))
        #expect(label.start == LSN(0x200_0028))
        #expect(label.startSegment.description == "000000010000000000000002")
        #expect(label.checkpoint == LSN(0x200_0060))
        #expect(label.method == "streamed")
        #expect(label.origin == "primary")
        #expect(label.startTime == "2026-11-24 09:58:13 UTC")
        #expect(label.label == "pg_basebackup base: backup")
        #expect(label.timeline == 1)
        #expect(label.stop == nil)
        #expect(label.stopSegment == nil)
        #expect(label.incrementalFrom == nil)
    }

    @Test func `a history file has an end, too`() throws {
        let text =
            golden + "STOP WAL LOCATION: 0/2000138 (file 000000010000000000000002)\nSTOP TIME: x\nSTOP TIMELINE: 1\n"
        let label = try BackupLabel(parsing: Array(text.utf8))
        #expect(label.stop == LSN(0x200_0138))
        #expect(label.stopSegment == label.startSegment)
    }

    @Test func `an increment names what it is based on`() throws {
        let text = golden + "INCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 1\n"
        #expect(try BackupLabel(parsing: Array(text.utf8)).incrementalFrom == LSN(0x100_0028))
    }

    @Test(
        arguments: [
            ("START WAL LOCATION: 0/2000028", "START", "no line START WAL LOCATION"),
            ("CHECKPOINT LOCATION", "CHECK", "no line CHECKPOINT LOCATION"),
            ("(file ", "(", "cannot read START WAL LOCATION: 0/2000028 (000000010000000000000002)"),
            ("0/2000060", "0-2", "cannot read CHECKPOINT LOCATION: 0-2"),
            ("LINE: 1", "LINE: one", "cannot read START TIMELINE: one"),
            ("LINE: 1", "LINE: 2", "START TIMELINE 2 is at odds with the segment 000000010000000000000002"),
            ("LABEL:", "LABEL: x\nSTART TIMELINE: 1\nLABELS:", "two lines START TIMELINE"),
        ])
    func `a malformed label is refused`(part: String, replacement: String, detail: String) throws {
        let range = try #require(golden.firstRange(of: part))
        let text = golden.replacingCharacters(in: range, with: replacement)
        #expect(throws: PostgresError(.malformed, subject: "backup_label", detail: detail)) {
            try BackupLabel(parsing: Array(text.utf8))
        }
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
