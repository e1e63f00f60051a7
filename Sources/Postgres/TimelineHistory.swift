/// The ancestry of a timeline, as its `.history` file tells it.
///
/// A line for each ancestor: its number, a tab, the LSN where the next one left it, a tab, the reason. Blank lines and
/// lines that begin with `#` do not count.
/// Source: PostgreSQL, src/backend/access/transam/timeline.c, `readTimeLineHistory` and `writeTimeLineHistory`.
package struct TimelineHistory: Equatable, Sendable {
    /// An ancestor, and where it was left.
    package struct Entry: Equatable, Sendable {
        package let timeline: TimelineID
        /// The first position that is no longer the ancestor's.
        package let switchpoint: LSN
        /// Free text, for example `no recovery target specified`.
        package let reason: String

        package init(timeline: TimelineID, switchpoint: LSN, reason: String) {
            self.timeline = timeline
            self.switchpoint = switchpoint
            self.reason = reason
        }
    }

    /// The timeline whose ancestors these are.
    package let timeline: TimelineID
    /// Oldest first, numbers rising, all below `timeline`; never empty.
    package let entries: [Entry]

    /// Reads the contents of `timeline`'s history file.
    ///
    /// Stricter than the server in two points, so that a file cut short is noticed: there must be an ancestor, and the
    /// last line must end.
    ///
    /// - Throws: `malformed` or `truncated`, with the byte at which the line begins.
    package init(parsing bytes: [UInt8], timeline: TimelineID) throws(PostgresError) {
        let subject = WALFileName.history(timeline).text
        var entries: [Entry] = []
        var position = 0
        while position < bytes.count {
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
                throw PostgresError(
                    .truncated, subject: subject, offset: position, detail: "the last line does not end")
            }
            let line = bytes[position..<end].drop(while: isBlank)
            func failure(_ detail: String) -> PostgresError {
                PostgresError(.malformed, subject: subject, offset: position, detail: detail)
            }
            guard !line.contains(0) else { throw failure("a NUL byte") }
            if let first = line.first, first != UInt8(ascii: "#") {
                let number = line.prefix { !isBlank($0) }
                guard let ancestor = UInt32(String(decoding: number, as: UTF8.self)), ancestor > 0 else {
                    throw failure("the line does not begin with a timeline's number")
                }
                let rest = line[number.endIndex...].drop(while: isBlank)
                let position = rest.prefix { !isBlank($0) }
                guard let switchpoint = LSN(String(decoding: position, as: UTF8.self)) else {
                    throw failure("no LSN follows timeline \(ancestor)")
                }
                if let last = entries.last, ancestor <= last.timeline.rawValue {
                    throw failure("timeline \(ancestor) follows timeline \(last.timeline)")
                }
                guard ancestor < timeline.rawValue else {
                    throw failure("timeline \(ancestor) cannot be an ancestor of timeline \(timeline)")
                }
                let reason = rest[position.endIndex...].drop(while: isBlank)
                entries.append(
                    Entry(
                        timeline: TimelineID(ancestor), switchpoint: switchpoint,
                        reason: String(decoding: reason, as: UTF8.self)))
            }
            position = end + 1
        }
        guard !entries.isEmpty else {
            throw PostgresError(.malformed, subject: subject, detail: "no ancestor is named")
        }
        self.timeline = timeline
        self.entries = entries
    }

    /// The timeline that the byte at `lsn` belongs to, on the way to this one.
    package func timeline(at lsn: LSN) -> TimelineID {
        entries.first { lsn < $0.switchpoint }?.timeline ?? timeline
    }

    /// Where this history leaves `ancestor`; nil when it is no ancestor.
    package func switchpoint(of ancestor: TimelineID) -> LSN? {
        entries.first { $0.timeline == ancestor }?.switchpoint
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
