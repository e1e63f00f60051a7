package import Bytes

/// What a setting holds, read and checked.
package enum SettingValue: Equatable, Sendable {
    case text(String)
    case secret(Secret)
    case bool(Bool)
    /// Also counts of bytes.
    case integer(Int)
    case duration(Duration)
    case fraction(Double)

    /// Reads `text` as what `kind` asks for; nil when it is not that.
    init?(_ text: String, _ kind: Setting.Kind) {
        switch kind {
        case .text, .path: self = .text(text)
        case .url:
            guard Self.isURL(text) else { return nil }
            self = .text(text)
        case .json:
            guard (try? JSONValue.parse(Array(text.utf8))) != nil else { return nil }
            self = .text(text)
        case .secret: self = .secret(Secret(text))
        case .bool:
            guard let value = Self.bool(text) else { return nil }
            self = .bool(value)
        case .integer(let range), .byteCount(let range):
            guard let value = Self.integer(text), range.contains(value) else { return nil }
            self = .integer(value)
        case .number(let numbers):
            guard let value = Self.integer(text), numbers.contains(value) else { return nil }
            self = .integer(value)
        case .size(let range):
            guard let value = Self.size(text), range.contains(value) else { return nil }
            self = .integer(value)
        case .duration:
            guard let value = GoDuration.parse(text) else { return nil }
            self = .duration(value)
        case .milliseconds:
            guard let value = Self.integer(text), (0...86_400_000).contains(value) else { return nil }
            self = .duration(.milliseconds(value))
        case .fraction:
            guard let value = Double(text), (0...1).contains(value) else { return nil }
            self = .fraction(value)
        case .choice(let words):
            guard words.contains(text) else { return nil }
            self = .text(text)
        }
    }

    /// The forms of Go's `ParseBool`.
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    private static func integer(_ text: String) -> Int? {
        // Int takes "+5" and "-0" too, as Go's ParseInt does.
        Int(text)
    }

    private static func size(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits) else { return nil }
        let unit = String(decoding: text[digits.endIndex...].utf8.map(asciiLowercased), as: UTF8.self)
        let factor: Int
        switch unit {
        case "", "b": factor = 1
        case "k", "kb", "kib": factor = 1 << 10
        case "m", "mb", "mib": factor = 1 << 20
        case "g", "gb", "gib": factor = 1 << 30
        case "t", "tb", "tib": factor = 1 << 40
        default: return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    private static func isURL(_ text: String) -> Bool {
        var rest = Substring(text)
        if let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") {
            guard ["http", "https"].contains(text[..<colon]) else { return false }
            rest = text[colon...].dropFirst(3)
        }
        guard let first = rest.utf8.first, first != 0x2F, first != 0x3A else { return false }
        // A user in a URL is a secret in disguise; keys have settings of their own.
        return !rest.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x40 }
    }
}

extension SettingValue {
    /// The value for output; a secret shows asterisks.
    package var displayed: String {
        switch self {
        case .text(let text): text
        case .secret(let secret): secret.description
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .duration(let value): GoDuration.text(value)
        case .fraction(let value): "\(value)"
        }
    }
}

extension Setting.Kind {
    /// What may stand in the setting, for error messages.
    package var allowed: String {
        switch self {
        case .text, .path, .secret: "text"
        case .url: "https://host[:port] or http://host[:port]"
        case .json: "a JSON value"
        case .bool: "true or false"
        case .integer(let range): "a whole number" + Self.limits(range)
        case .byteCount(let range): "a whole number of bytes, without unit," + Self.limits(range)
        case .size(let range): "a size such as 64MiB or a number of bytes," + Self.limits(range)
        case .duration: "a duration such as 30s, 1h30m or 500ms"
        case .milliseconds: "a number of milliseconds from 0 to 86400000"
        case .fraction: "a number from 0 to 1"
        case .number(let numbers): "one of " + numbers.map(String.init).joined(separator: ", ")
        case .choice(let words): "one of " + words.joined(separator: ", ")
        }
    }

    private static func limits(_ range: ClosedRange<Int>) -> String {
        range.upperBound >= 1 << 46
            ? " of at least \(range.lowerBound)" : " from \(range.lowerBound) to \(range.upperBound)"
    }
}
