import Bytes

/// The records of PAX extended headers that matter here; others are read over.
///
/// A record is `length key=value\n` with the length in decimal, counting itself. An empty value takes back what an
/// earlier (global) header said. Source: POSIX.1-2017, pax, "pax Extended Header".
struct PAXRecords {
    /// A value, or nil for one taken back.
    private var values: [String: [UInt8]] = [:]

    private static let known: Set<String> = [
        "path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime",
    ]

    var isEmpty: Bool { values.isEmpty }

    subscript(key: String) -> [UInt8]? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// Adds the records of a header; of two with one key the later holds.
    mutating func add(parsing bytes: [UInt8]) throws(CodecFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.prefix(20).firstIndex(of: UInt8(ascii: " ")),
                let length = Self.decimal(rest[..<space]), length <= rest.count,
                length > space - rest.startIndex + 1, rest[rest.startIndex + length - 1] == UInt8(ascii: "\n")
            else { throw CodecFailure(.corrupted, "a record of the PAX header has a wrong length") }
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")), equals > record.startIndex else {
                throw CodecFailure(.corrupted, "a record of the PAX header has no key")
            }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            guard !key.hasPrefix("GNU.sparse.") else {
                throw CodecFailure(.unsupported, "sparse members are not read; make the archive without --sparse")
            }
            if Self.known.contains(key) { values[key] = Array(record[(equals + 1)...]) }
        }
    }

    /// These records over `base`, which is what global headers said.
    func over(_ base: PAXRecords) -> PAXRecords {
        var merged = base
        merged.values.merge(values) { _, new in new }
        merged.values = merged.values.filter { !$0.value.isEmpty }
        return merged
    }

    func number(_ key: String) throws(CodecFailure) -> Int? {
        guard let value = values[key] else { return nil }
        guard let number = Self.decimal(value[...]) else {
            throw CodecFailure(.corrupted, "the \(key) of the PAX header is not a number")
        }
        return number
    }

    /// Seconds with any fraction, cut after nine digits.
    func time(_ key: String) throws(CodecFailure) -> Timestamp? {
        guard let value = values[key] else { return nil }
        let isNegative = value.first == UInt8(ascii: "-")
        let parts = (isNegative ? value.dropFirst() : value[...])
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : []
        var nanoseconds = 0
        for index in 0..<9 {
            let digit = index < fraction.count ? fraction[fraction.startIndex + index] : UInt8(ascii: "0")
            nanoseconds = nanoseconds * 10 + Int(digit &- UInt8(ascii: "0"))
        }
        guard let whole = parts.first.flatMap(Self.decimal), fraction.allSatisfy(Self.isDigit) else {
            throw CodecFailure(.corrupted, "the \(key) of the PAX header is not a time")
        }
        guard isNegative else { return Timestamp(seconds: Int64(whole), nanoseconds: Int32(nanoseconds)) }
        return nanoseconds == 0
            ? Timestamp(seconds: -Int64(whole))
            : Timestamp(seconds: -Int64(whole) - 1, nanoseconds: Int32(1_000_000_000 - nanoseconds))
    }

    /// The bytes of one record.
    static func record(_ key: String, _ value: some Collection<UInt8>) -> [UInt8] {
        let body = [UInt8](" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = body.count
        while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
        return [UInt8](String(length).utf8) + body
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func decimal(_ text: ArraySlice<UInt8>) -> Int? {
        guard !text.isEmpty, text.count <= 18, text.allSatisfy(isDigit) else { return nil }
        return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
