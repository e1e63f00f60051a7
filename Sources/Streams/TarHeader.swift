/// A tar header, one block of 512 bytes, as it lies in the archive.
///
///     offset 0    100  name             offset 257  6   magic, 2 version
///     offset 100  8    mode             offset 265  32  user name
///     offset 108  8    user ID          offset 297  32  group name
///     offset 116  8    group ID         offset 329  8   device major, 8 minor
///     offset 124  12   size             offset 345  155 prefix
///     offset 136  12   mtime
///     offset 148  8    checksum         Numbers are octal text, or, with the first bit set,
///     offset 156  1    type             big-endian two's complement (GNU).
///     offset 157  100  link name
///
/// Sources: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
struct TarHeader {
    static let byteCount = 512
    static let largestID = 0o7777777
    static let largestSize = 0o77777777777

    /// The type flags of the members that are read or written.
    enum TypeFlag {
        static let oldRegular: UInt8 = 0
        static let regular = UInt8(ascii: "0")
        static let hardLink = UInt8(ascii: "1")
        static let symbolicLink = UInt8(ascii: "2")
        static let characterDevice = UInt8(ascii: "3")
        static let blockDevice = UInt8(ascii: "4")
        static let directory = UInt8(ascii: "5")
        static let pipe = UInt8(ascii: "6")
        static let contiguous = UInt8(ascii: "7")
        static let extended = UInt8(ascii: "x")
        static let oldExtended = UInt8(ascii: "X")
        static let globalExtended = UInt8(ascii: "g")
        static let longName = UInt8(ascii: "L")
        static let longLink = UInt8(ascii: "K")
    }

    var name: [UInt8] = []
    var mode = 0
    var userID = 0
    var groupID = 0
    var size = 0
    var modified = 0
    var type = TypeFlag.regular
    var linkName: [UInt8] = []
    var userName: [UInt8] = []
    var groupName: [UInt8] = []
    var prefix: [UInt8] = []

    init() {}

    /// Reads a block that is not all zeros.
    init(parsing block: [UInt8]) throws(CodecFailure) {
        precondition(block.count == Self.byteCount)
        try Self.verifyChecksum(of: block)
        name = Self.text(block[0..<100])
        mode = try Self.number(block[100..<108], "mode")
        userID = try Self.number(block[108..<116], "user ID")
        groupID = try Self.number(block[116..<124], "group ID")
        size = try Self.number(block[124..<136], "size")
        modified = try Self.number(block[136..<148], "modification time")
        for (value, what) in [(mode, "mode"), (userID, "user ID"), (groupID, "group ID"), (size, "size")] {
            guard value >= 0 else { throw CodecFailure(.corrupted, "the \(what) in the tar header is negative") }
        }
        type = block[156]
        linkName = Self.text(block[157..<257])
        let magic = block[257..<265]
        let isUstar = magic.starts(with: "ustar\0".utf8)
        let isGNU = magic.elementsEqual("ustar  \0".utf8)
        guard isUstar || isGNU else { return }
        userName = Self.text(block[265..<297])
        groupName = Self.text(block[297..<329])
        // GNU keeps times where ustar has the prefix; star keeps them in the last 24 bytes of the prefix.
        if isUstar {
            let isStar = block[508..<512].elementsEqual("tar\0".utf8)
            prefix = Self.text(isStar ? block[345..<476] : block[345..<500])
        }
    }

    /// The whole name: prefix, slash, name.
    var path: [UInt8] { prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name }

    /// The block of a ustar header; what does not fit is cut off or zero, for a PAX record to say.
    func block() -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.byteCount)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int, limit: Int) {
            var position = offset
            for byte in bytes.prefix(limit) {
                block[position] = byte
                position += 1
            }
        }
        func put(octal value: Int, at offset: Int, digits: Int) {
            let text = String(value >= 0 && value < 1 << (3 * digits) ? value : 0, radix: 8)
            put(String(repeating: "0", count: digits - text.utf8.count).utf8, at: offset, limit: digits)
            put(text.utf8, at: offset + digits - text.utf8.count, limit: digits)
        }
        put(name, at: 0, limit: 100)
        put(octal: mode, at: 100, digits: 7)
        put(octal: userID, at: 108, digits: 7)
        put(octal: groupID, at: 116, digits: 7)
        put(octal: size, at: 124, digits: 11)
        put(octal: modified, at: 136, digits: 11)
        put("        ".utf8, at: 148, limit: 8)
        block[156] = type
        put(linkName, at: 157, limit: 100)
        put("ustar\u{0}00".utf8, at: 257, limit: 8)
        put(userName, at: 265, limit: 31)
        put(groupName, at: 297, limit: 31)
        put(octal: 0, at: 329, digits: 7)
        put(octal: 0, at: 337, digits: 7)
        put(prefix, at: 345, limit: 155)
        put(octal: block.reduce(0) { $0 + Int($1) }, at: 148, digits: 6)
        block[154] = 0
        return block
    }

    /// The sum of all bytes with the checksum field as spaces; old tars added signed bytes.
    private static func verifyChecksum(of block: [UInt8]) throws(CodecFailure) {
        var unsigned = 0
        var signed = 0
        for (index, byte) in block.enumerated() {
            let counted = 148..<156 ~= index ? UInt8(ascii: " ") : byte
            unsigned += Int(counted)
            signed += Int(Int8(bitPattern: counted))
        }
        let stored = try number(block[148..<156], "checksum")
        guard stored == unsigned || stored == signed else {
            throw CodecFailure(
                .corrupted,
                "no tar header here: its checksum is \(unsigned), the header says \(stored)")
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// An octal or, with the first bit set, binary number; an empty field is 0.
    static func number(_ field: ArraySlice<UInt8>, _ what: String) throws(CodecFailure) -> Int {
        guard let first = field.first else { return 0 }
        if first & 0x80 != 0 { return try binaryNumber(field, what) }
        let isBlank = { (byte: UInt8) in byte == 0 || byte == UInt8(ascii: " ") }
        var value = 0
        for byte in field.drop(while: isBlank).prefix(while: { !isBlank($0) }) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) else {
                throw CodecFailure(.corrupted, "the \(what) in the tar header is not a number")
            }
            // Twelve digits are 36 bits: no overflow.
            value = value << 3 | Int(byte & 7)
        }
        return value
    }

    private static func binaryNumber(_ field: ArraySlice<UInt8>, _ what: String) throws(CodecFailure) -> Int {
        // The first bit is the flag, the second the sign.
        let first = field[field.startIndex]
        var value = first & 0x40 != 0 ? Int(first) - 256 : Int(first & 0x3F)
        for byte in field.dropFirst() {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
            guard !overflow else {
                throw CodecFailure(.unsupported, "the \(what) in the tar header does not fit 64 bits")
            }
            value = shifted | Int(byte)
        }
        return value
    }
}
