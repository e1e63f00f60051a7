/// An instant together with the zone it was written in.
package struct ZonedTimestamp: Hashable, Sendable, CustomStringConvertible {
    package let instant: Timestamp
    /// Seconds east of UTC; whole minutes in text.
    package let offset: Int

    package init(_ instant: Timestamp, offset: Int = 0) {
        self.instant = instant
        self.offset = offset
    }

    /// RFC 3339 in the zone.
    package var description: String { instant.rfc3339(offset: offset) }

    /// Reads RFC 3339: any fraction (cut after nine digits), `Z` or a numeric offset, `T` or a space between.
    package init?(rfc3339 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[13] == 0x3A, bytes[16] == 0x3A,
            [0x54, 0x74, 0x20].contains(bytes[10]),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), day >= 1, day <= CivilTime.dayCount(year: year, month: month), hour < 24,
            minute < 60, second < 61
        else { return nil }
        var position = 19
        var nanos = 0
        if bytes[position] == 0x2E {
            position += 1
            var digits = 0
            while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
                if digits < 9 { nanos = nanos * 10 + Int(bytes[position] - 0x30) }
                digits += 1
                position += 1
            }
            guard digits > 0 else { return nil }
            for _ in digits..<max(9, digits) { nanos *= 10 }
        }
        guard position < bytes.count else { return nil }
        var offset = 0
        switch bytes[position] {
        case 0x5A, 0x7A:
            guard position + 1 == bytes.count else { return nil }
        case 0x2B, 0x2D:
            guard position + 6 == bytes.count, bytes[position + 3] == 0x3A,
                let hours = number(position + 1..<position + 3), let minutes = number(position + 4..<position + 6),
                hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * 60 * (bytes[position] == 0x2D ? -1 : 1)
        default: return nil
        }
        let days = CivilTime.days(year: year, month: month, day: day)
        instant = Timestamp(
            seconds: days * 86400 + Int64(hour * 3600 + minute * 60 + second - offset), nanoseconds: Int32(nanos))
        self.offset = offset
    }
}
