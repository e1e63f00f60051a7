/// What `backup_label` says of a base backup; also a `.backup` history file, which has the stop lines besides.
///
/// Source: PostgreSQL, src/backend/access/transam/xlogbackup.c, `build_backup_content`.
package struct BackupLabel: Equatable, Sendable {
    /// Where replay must begin.
    package let start: LSN
    /// The segment that holds `start`.
    package let startSegment: WALSegmentName
    package let checkpoint: LSN
    /// `streamed` since PostgreSQL 15; `pg_start_backup` exclusive ones are no longer made.
    package let method: String?
    /// `primary` or `standby` (`master` is of old versions).
    package let origin: String?
    /// As the server printed it, in its own time zone.
    package let startTime: String?
    package let label: String?
    package let timeline: TimelineID
    /// Where the backup ended, in a history file.
    package let stop: LSN?
    package let stopSegment: WALSegmentName?
    /// The backup this is an increment of, in PostgreSQL's own incremental backups (17 on).
    package let incrementalFrom: LSN?

    /// Reads the contents of the file; lines it does not know are passed over.
    ///
    /// - Throws: `malformed` when a needed line is missing, twice there, unreadable, or at odds with another.
    package init(parsing bytes: [UInt8], subject: String = "backup_label") throws(PostgresError) {
        var fields: [String: String] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = String(text[..<colon])
            guard Self.names.contains(name) else { continue }
            guard fields[name] == nil else {
                throw PostgresError(.malformed, subject: subject, detail: "two lines \(name)")
            }
            fields[name] = String(text[text.utf8.index(after: colon)...].drop { $0 == " " })
        }
        func failure(_ name: String) -> PostgresError {
            PostgresError(
                .malformed, subject: subject,
                detail: fields[name].map { "cannot read \(name): \($0)" } ?? "no line \(name)")
        }
        guard let begin = Self.location(fields["START WAL LOCATION"]) else { throw failure("START WAL LOCATION") }
        guard let checkpoint = fields["CHECKPOINT LOCATION"].flatMap({ LSN($0) }) else {
            throw failure("CHECKPOINT LOCATION")
        }
        (start, startSegment) = begin
        self.checkpoint = checkpoint
        timeline = startSegment.timeline
        if let text = fields["START TIMELINE"] {
            guard let number = UInt32(text) else { throw failure("START TIMELINE") }
            guard number == timeline.rawValue else {
                throw PostgresError(
                    .malformed, subject: subject,
                    detail: "START TIMELINE \(number) is at odds with the segment \(startSegment)")
            }
        }
        if fields["STOP WAL LOCATION"] != nil {
            guard let end = Self.location(fields["STOP WAL LOCATION"]) else { throw failure("STOP WAL LOCATION") }
            (stop, stopSegment) = end
        } else {
            (stop, stopSegment) = (nil, nil)
        }
        if let text = fields["INCREMENTAL FROM LSN"] {
            guard let lsn = LSN(text) else { throw failure("INCREMENTAL FROM LSN") }
            incrementalFrom = lsn
        } else {
            incrementalFrom = nil
        }
        method = fields["BACKUP METHOD"]
        origin = fields["BACKUP FROM"]
        startTime = fields["START TIME"]
        label = fields["LABEL"]
    }

    private static let names: Set = [
        "START WAL LOCATION", "CHECKPOINT LOCATION", "BACKUP METHOD", "BACKUP FROM", "START TIME", "LABEL",
        "START TIMELINE", "STOP WAL LOCATION", "INCREMENTAL FROM LSN",
    ]

    /// Reads `0/2000028 (file 000000010000000000000002)`.
    private static func location(_ text: String?) -> (LSN, WALSegmentName)? {
        guard let parts = text?.split(separator: " ", omittingEmptySubsequences: false), parts.count == 3,
            let lsn = LSN(parts[0]), parts[1] == "(file", parts[2].hasSuffix(")"),
            let segment = WALSegmentName(parts[2].dropLast())
        else { return nil }
        return (lsn, segment)
    }
}
