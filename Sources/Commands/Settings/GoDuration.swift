/// Durations as Go spells them: `1h30m`, `500ms`, `1.5s`, `0`.
enum GoDuration {
    /// Reads a duration that is not negative; nil when it is none.
    ///
    /// Source: Go, package time, `ParseDuration`. A bare number is no duration, but for `0`.
    static func parse(_ text: String) -> Duration? {
        var rest = Substring(text)
        if rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return .zero }
        guard !rest.isEmpty else { return nil }
        // Nanoseconds in 128 bits: Go's own limit, 2^63 nanoseconds, is checked at the end.
        var total: Int128 = 0
        while !rest.isEmpty {
            let whole = digits(&rest)
            var fraction: Substring = ""
            if rest.first == "." {
                rest.removeFirst()
                fraction = digits(&rest)
            }
            guard !whole.isEmpty || !fraction.isEmpty, whole.utf8.count <= 19 else { return nil }
            guard let unit = unit(&rest) else { return nil }
            total += (Int128(whole) ?? 0) * unit
            var scale: Int128 = 1
            var numerator: Int128 = 0
            for digit in fraction.utf8.prefix(18) {
                scale *= 10
                numerator = numerator * 10 + Int128(digit - 0x30)
            }
            // To the nearest nanosecond; Go does the same in floating point.
            total += (numerator * unit + scale / 2) / scale
            guard total <= Int128(Int64.max) else { return nil }
        }
        return .nanoseconds(Int64(total))
    }

    private static func digits(_ rest: inout Substring) -> Substring {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest[digits.endIndex...]
        return digits
    }

    private static func unit(_ rest: inout Substring) -> Int128? {
        let units: [(String, Int128)] = [
            ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
            ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        for (name, nanoseconds) in units where rest.hasPrefix(name) {
            rest = rest.dropFirst(name.count)
            return nanoseconds
        }
        return nil
    }

    /// A duration in the same form, for output.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if seconds == 0 && attoseconds == 0 { return "0s" }
        if attoseconds != 0 {
            let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
            if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000)ms" }
            return "\(nanoseconds)ns"
        }
        var text = ""
        if seconds >= 3600 { text += "\(seconds / 3600)h" }
        if seconds / 60 % 60 > 0 { text += "\(seconds / 60 % 60)m" }
        if seconds % 60 > 0 { text += "\(seconds % 60)s" }
        return text
    }
}
