import Bytes

/// A record that a segment begins and a later one ends: what the verifier of the next segment needs to check its CRC.
package struct CarriedRecord: Equatable, Sendable {
    /// The segment that goes on with the record.
    package let segment: WALSegmentName
    /// Where the record begins.
    package let start: LSN
    /// Bytes still to come.
    let remaining: UInt32
    /// The first 24 bytes of the record, as far as they have come.
    let header: [UInt8]
    /// The CRC of the body, as far as it has come.
    let bodyChecksum: UInt32
    let isOverwrite: Bool

    init(
        segment: WALSegmentName, start: LSN, remaining: UInt32, header: [UInt8], bodyChecksum: UInt32, isOverwrite: Bool
    ) {
        self.segment = segment
        self.start = start
        self.remaining = remaining
        self.header = header
        self.bodyChecksum = bodyChecksum
        self.isOverwrite = isOverwrite
    }

    /// One line of text, for keeping it between two runs.
    package var text: String {
        "\(segment) \(start) \(remaining) \(bodyChecksum) \(isOverwrite ? 1 : 0) \(Hex.encode(header))."
    }

    /// Reads what `text` wrote; nil for anything else.
    package init?(_ text: String) {
        let fields = text.split(separator: " ")
        guard fields.count == 6, let segment = WALSegmentName(String(fields[0])), let start = LSN(String(fields[1])),
            let remaining = UInt32(fields[2]), remaining > 0, let bodyChecksum = UInt32(fields[3]),
            fields[4] == "0" || fields[4] == "1", fields[5].hasSuffix("."),
            let header = Hex.decode(fields[5].dropLast()), header.count <= WALRecordHeader.byteCount,
            header.count.isMultiple(of: 8)
        else { return nil }
        self.init(
            segment: segment, start: start, remaining: remaining, header: header, bodyChecksum: bodyChecksum,
            isOverwrite: fields[4] == "1")
    }
}
