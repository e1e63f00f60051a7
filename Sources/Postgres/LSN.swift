import Bytes

/// A position in the write-ahead log, in bytes since the cluster's birth.
package struct LSN: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package init(_ value: UInt64) { rawValue = value }

    /// PostgreSQL's `InvalidXLogRecPtr`, which is no position at all.
    package static let invalid = LSN(0)

    /// Reads two groups of one to eight hexadecimal digits with a slash between, as `0/5000028`; nil for other text.
    package init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard let slash = digits.firstIndex(of: UInt8(ascii: "/")),
            let high = parseHexadecimal(digits[..<slash]), let low = parseHexadecimal(digits[(slash + 1)...])
        else { return nil }
        rawValue = UInt64(high) << 32 | UInt64(low)
    }

    /// The form PostgreSQL prints up to version 18: `0/5000028`, digits in upper case, no padding.
    package var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    package static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
}

/// One to eight hexadecimal digits of either case; nil for anything else.
private func parseHexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
    guard (1...8).contains(digits.count) else { return nil }
    var value: UInt32 = 0
    for digit in digits {
        guard let nibble = Hex.value(digit) else { return nil }
        value = value << 4 | UInt32(nibble)
    }
    return value
}
