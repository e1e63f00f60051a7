package import Postgres

/// The name of a backup: `base_`, the segment it starts in, and for a delta `_D_` and its parent's segment.
///
/// WAL-E's names end in `_` and the start's offset in the segment, eight digits. All digits are upper-case hexadecimal.
package struct BackupName: Hashable, Sendable, CustomStringConvertible {
    /// The segment that holds the backup's start.
    package let segment: WALSegmentName
    /// For a delta, the segment in its parent's name.
    package let parentSegment: WALSegmentName?
    /// What WAL-E wrote; nil in names of WAL-G and ours.
    package let offset: UInt32?

    /// The name of a full backup that starts in `segment`, or of a delta on `parent`.
    package init(segment: WALSegmentName, parent: BackupName? = nil) {
        self.segment = segment
        parentSegment = parent?.segment
        offset = nil
    }

    /// Reads a name; nil for text that is none.
    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("base_") else { return nil }
        var rest = text.utf8.dropFirst(5)
        guard let segment = Self.segment(rest.prefix(24)) else { return nil }
        rest = rest.dropFirst(24)
        var parent: WALSegmentName?
        if rest.starts(with: "_D_".utf8) {
            guard let segment = Self.segment(rest.dropFirst(3).prefix(24)) else { return nil }
            parent = segment
            rest = rest.dropFirst(27)
        }
        var offset: UInt32?
        if !rest.isEmpty {
            let digits = rest.dropFirst()
            guard rest.first == 0x5F, digits.count == 8, digits.allSatisfy(Self.isUpperHex),
                let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            offset = value
        }
        self.segment = segment
        parentSegment = parent
        self.offset = offset
    }

    /// Whether the name is of a delta.
    package var isDelta: Bool { parentSegment != nil }

    package var description: String {
        var text = "base_\(segment)"
        if let parentSegment { text += "_D_\(parentSegment)" }
        if let offset {
            let digits = String(offset, radix: 16, uppercase: true)
            text += "_" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        return text
    }

    private static func segment(_ digits: some Collection<UInt8>) -> WALSegmentName? {
        guard digits.count == 24 else { return nil }
        return WALSegmentName(String(decoding: digits, as: UTF8.self))
    }

    /// The first run of 24 upper-case hexadecimal digits in `text`; nil when there is none.
    package static func firstSegmentText(in text: String) -> String? {
        let bytes = Array(text.utf8)
        var run = 0
        for (index, byte) in bytes.enumerated() {
            run = isUpperHex(byte) ? run + 1 : 0
            if run == 24 { return String(decoding: bytes[index - 23...index], as: UTF8.self) }
        }
        return nil
    }

    private static func isUpperHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte)
    }
}
