import Bytes

/// The name of a WAL segment: timeline, then the segment's number in two halves, eight hexadecimal digits each.
///
/// The number's halves depend on the segment size: `low` counts up to `segmentsPerHigh`, then `high` steps.
/// Source: PostgreSQL, src/include/access/xlog_internal.h, `XLogFileName`.
package struct WALSegmentName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let timeline: TimelineID
    package let high: UInt32
    package let low: UInt32

    package init(timeline: TimelineID, high: UInt32, low: UInt32) {
        self.timeline = timeline
        self.high = high
        self.low = low
    }

    /// Reads exactly 24 hexadecimal digits in upper case; nil for other text, and for timeline 0, which cannot be.
    package init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 24, let timeline = parseUpperHexadecimal(digits[0..<8]), timeline != 0,
            let high = parseUpperHexadecimal(digits[8..<16]), let low = parseUpperHexadecimal(digits[16..<24])
        else { return nil }
        self.init(timeline: TimelineID(timeline), high: high, low: low)
    }

    /// The segment with a number, counted from 0 at LSN 0/0.
    package init(timeline: TimelineID, number: UInt64, size: WALSegmentSize) {
        self.init(
            timeline: timeline, high: UInt32(truncatingIfNeeded: number / size.segmentsPerHigh),
            low: UInt32(truncatingIfNeeded: number % size.segmentsPerHigh))
    }

    /// The segment that holds the byte at `lsn`.
    package static func containing(_ lsn: LSN, timeline: TimelineID, size: WALSegmentSize) -> WALSegmentName {
        WALSegmentName(timeline: timeline, number: lsn.rawValue / UInt64(size.byteCount), size: size)
    }

    /// Whether a cluster with segments of this size has a segment of this name.
    package func isPossible(_ size: WALSegmentSize) -> Bool { UInt64(low) < size.segmentsPerHigh }

    /// The segment's number, counted from 0 at LSN 0/0.
    package func number(_ size: WALSegmentSize) -> UInt64 { UInt64(high) * size.segmentsPerHigh + UInt64(low) }

    /// The position of the segment's first byte.
    package func start(_ size: WALSegmentSize) -> LSN { LSN(number(size) &* UInt64(size.byteCount)) }

    /// The segment that follows on the same timeline.
    package func next(_ size: WALSegmentSize) -> WALSegmentName {
        WALSegmentName(timeline: timeline, number: number(size) + 1, size: size)
    }

    package var description: String {
        Hex.digits(timeline.rawValue, width: 8) + Hex.digits(high, width: 8) + Hex.digits(low, width: 8)
    }

    /// Orders by timeline, then by position: the order of the names as text.
    package static func < (left: WALSegmentName, right: WALSegmentName) -> Bool {
        (left.timeline, left.high, left.low) < (right.timeline, right.high, right.low)
    }
}

/// Exactly eight hexadecimal digits in upper case; nil for anything else.
func parseUpperHexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
    guard digits.count == 8 else { return nil }
    var value: UInt32 = 0
    for digit in digits {
        guard !(UInt8(ascii: "a")...UInt8(ascii: "f")).contains(digit), let nibble = Hex.value(digit)
        else { return nil }
        value = value << 4 | UInt32(nibble)
    }
    return value
}
