import Bytes

/// The name of any file that PostgreSQL hands to its archive_command, and of no other.
///
/// Source: PostgreSQL, src/include/access/xlog_internal.h, `IsXLogFileName` and its neighbours.
package enum WALFileName: Hashable, Sendable, CustomStringConvertible {
    case segment(WALSegmentName)
    /// The last segment of a timeline that was left, archived by the promoted server.
    case partial(WALSegmentName)
    case history(TimelineID)
    /// Says where a base backup began, by the segment and the byte in it, and where it ended.
    case backupHistory(WALSegmentName, offset: UInt32)

    /// Nil for any text but the four forms, their digits in upper case.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if let name = WALSegmentName(text) {
            self = .segment(name)
        } else if let stem = bytes.stem(before: ".partial"), stem.count == 24, let name = WALSegmentName(stem) {
            self = .partial(name)
        } else if let stem = bytes.stem(before: ".history"), let timeline = parseUpperHexadecimal(stem), timeline != 0 {
            self = .history(TimelineID(timeline))
        } else if let stem = bytes.stem(before: ".backup"), stem.count == 33, stem[24] == UInt8(ascii: "."),
            let name = WALSegmentName(stem[..<24]), let offset = parseUpperHexadecimal(stem[25...])
        {
            self = .backupHistory(name, offset: offset)
        } else {
            return nil
        }
    }

    /// The name as PostgreSQL writes it.
    package var text: String {
        switch self {
        case .segment(let name): name.description
        case .partial(let name): name.description + ".partial"
        case .history(let timeline): Hex.digits(timeline.rawValue, width: 8) + ".history"
        case .backupHistory(let name, let offset): name.description + "." + Hex.digits(offset, width: 8) + ".backup"
        }
    }

    package var description: String { text }
}

extension [UInt8] {
    /// What comes before `suffix` at the end; nil when it does not end so.
    fileprivate func stem(before suffix: StaticString) -> ArraySlice<UInt8>? {
        let suffix = Array(suffix.description.utf8)
        return suffix.count <= count && self[(count - suffix.count)...].elementsEqual(suffix)
            ? self[..<(count - suffix.count)] : nil
    }
}

extension WALSegmentName {
    fileprivate init?(_ digits: ArraySlice<UInt8>) { self.init(String(decoding: digits, as: UTF8.self)) }
}
