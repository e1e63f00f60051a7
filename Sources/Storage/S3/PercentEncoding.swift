import Bytes

/// Percent-encoding as S3 signs it: everything but `A-Z a-z 0-9 - . _ ~`, in upper-case digits, once.
enum PercentEncoding {
    /// A path: slashes stay, and nothing is normalized.
    static func path(_ text: String) -> String { encode(text, keepsSlash: true) }

    /// A query's name or value.
    static func query(_ text: String) -> String { encode(text, keepsSlash: false) }

    private static let hex = Array("0123456789ABCDEF".utf8)

    private static func encode(_ text: String, keepsSlash: Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            case 0x2F where keepsSlash: result.append(byte)
            default:
                result.append(0x25)
                result.append(hex[Int(byte >> 4)])
                result.append(hex[Int(byte & 15)])
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text of a listing made with `encoding-type=url`; nil when a `%` begins no two digits.
    ///
    /// AWS writes a space as `+`, others as `%20`; a plus sign is `%2B` everywhere.
    static func decode(_ text: String) -> String? {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case 0x2B: result.append(0x20)
            case 0x25:
                guard index + 2 < bytes.count, let high = Hex.value(bytes[index + 1]),
                    let low = Hex.value(bytes[index + 2])
                else { return nil }
                result.append(high << 4 | low)
                index += 2
            default: result.append(bytes[index])
            }
            index += 1
        }
        return String(validating: result, as: UTF8.self)
    }
}
