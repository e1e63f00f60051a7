import Bytes

/// How keys and files of a local directory correspond.
enum LocalPath {
    /// The longest file name that Linux file systems take, in bytes (`NAME_MAX`).
    private static let nameLimit = 255
    /// Bytes of `.tmp.20260821T180235Z-0123456789abcdef`.
    private static let temporarySuffixLength = 38

    /// Why no file can stand for the key; nil when one can.
    static func objection(to key: ObjectKey) -> String? {
        guard !key.text.isEmpty else { return "an empty key is no file name" }
        guard !key.text.utf8.contains(0) else { return "a file name cannot hold a NUL byte" }
        for component in key.text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false) {
            let name = String(component) ?? ""
            switch name {
            case "": return "an empty path component is no file name (a leading, trailing or double slash)"
            case ".", "..": return "the path component \(name) would lead elsewhere"
            default: break
            }
            guard name.utf8.count <= nameLimit else { return "a file name may have at most \(nameLimit) bytes" }
            guard !isTemporary(name) else {
                return "the name has the form of a temporary file, which listings hide and sweeping removes"
            }
        }
        return nil
    }

    /// Whether a file name has the form that writes use before the rename: WAL-G's, walg.md §2.6.
    static func isTemporary(_ name: String) -> Bool { isTemporary(Array(name.utf8)) }

    /// The same for the bytes of a directory entry.
    static func isTemporary(_ name: some RandomAccessCollection<UInt8>) -> Bool {
        guard name.count >= temporarySuffixLength else { return false }
        for (byte, form) in zip(name.suffix(temporarySuffixLength), ".tmp.00000000T000000Z-xxxxxxxxxxxxxxxx".utf8) {
            let matches =
                switch form {
                case 0x30: (0x30...0x39).contains(byte)
                case 0x78: (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
                default: byte == form
                }
            guard matches else { return false }
        }
        return true
    }

    /// A fresh temporary name for an object's file name, cut where the whole would be too long.
    static func temporaryName(for name: String, now: Timestamp, random: UInt64) -> String {
        let time = now.civil()
        let year = String(time.year)
        let date =
            String(repeating: "0", count: max(0, 4 - year.count)) + year + twoDigits(time.month) + twoDigits(time.day)
        let clock = twoDigits(time.hour) + twoDigits(time.minute) + twoDigits(time.second)
        let suffix = ".tmp.\(date)T\(clock)Z-\(Hex.digits(random, width: 16).lowercased())"
        var stem = name
        while stem.utf8.count + suffix.utf8.count > nameLimit { stem.unicodeScalars.removeLast() }
        return stem + suffix
    }
}
