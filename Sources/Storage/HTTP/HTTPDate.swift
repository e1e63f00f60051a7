package import Bytes

/// The date of HTTP headers, `Wed, 21 Oct 2015 07:28:00 GMT` (RFC 9110, section 5.6.7; the obsolete forms are not read).
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    package static func parse(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT" || words[5] == "UTC", let day = Int(words[1]),
            (1...31).contains(day), let month = months.firstIndex(of: String(words[2])), words[3].utf8.count == 4
        else { return nil }
        return Timestamp(rfc3339: "\(words[3])-\(twoDigits(month + 1))-\(twoDigits(day))T\(words[4])Z")
    }
}
