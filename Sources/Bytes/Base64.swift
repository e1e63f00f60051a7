/// Base64 with padding (RFC 4648, section 4).
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var word: UInt32 = 0
        var held = 0
        for byte in bytes {
            word = word << 8 | UInt32(byte)
            held += 1
            if held == 3 {
                for shift in [18, 12, 6, 0] { text.append(alphabet[Int(word >> UInt32(shift) & 63)]) }
                word = 0
                held = 0
            }
        }
        if held > 0 {
            word <<= UInt32(8 * (3 - held))
            text.append(alphabet[Int(word >> 18 & 63)])
            text.append(alphabet[Int(word >> 12 & 63)])
            text.append(held == 2 ? alphabet[Int(word >> 6 & 63)] : 0x3D)
            text.append(0x3D)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text`; nil when it is not padded base64.
    ///
    /// Line breaks are not accepted.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 4) else { return nil }
        let padding = digits.suffix(2).count { $0 == 0x3D }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        var word: UInt32 = 0
        for (index, digit) in digits.enumerated() {
            let value: UInt32
            switch digit {
            case 0x41...0x5A: value = UInt32(digit - 0x41)
            case 0x61...0x7A: value = UInt32(digit - 0x61) + 26
            case 0x30...0x39: value = UInt32(digit - 0x30) + 52
            case 0x2B: value = 62
            case 0x2F: value = 63
            case 0x3D where index >= digits.count - padding: value = 0
            default: return nil
            }
            word = word << 6 | value
            if index % 4 == 3 {
                bytes.append(UInt8(truncatingIfNeeded: word >> 16))
                bytes.append(UInt8(truncatingIfNeeded: word >> 8))
                bytes.append(UInt8(truncatingIfNeeded: word))
                word = 0
            }
        }
        bytes.removeLast(padding)
        return bytes
    }
}
