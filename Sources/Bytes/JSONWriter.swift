/// Writes JSON as Go's encoders do: no spaces, or one member a line when an indent is given.
///
/// The caller keeps the grammar: a name before each value in an object, ends that match. `takeBytes()` between two
/// calls lets a document be longer than memory.
package struct JSONWriter: Sendable {
    /// Which characters are escaped beyond those that must be.
    package enum Escaping: Sendable {
        /// None: Go's `encoding/json/v2`.
        case minimal
        /// `<`, `>`, `&`, U+2028 and U+2029: Go's `encoding/json`.
        case html
    }

    private let escaping: Escaping
    private let indent: [UInt8]?
    private var bytes: [UInt8] = []
    /// For each open bracket: whether something stands in it.
    private var filled: [Bool] = []
    private var followsName = false

    package init(escaping: Escaping = .minimal, indent: String? = nil) {
        self.escaping = escaping
        self.indent = indent.map { Array($0.utf8) }
    }

    /// Bytes written and not taken yet.
    package var byteCount: Int { bytes.count }

    /// What was written since the last call.
    package mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// The bytes of `value` as a document of its own.
    package static func bytes(
        of value: JSONValue, escaping: Escaping = .minimal, indent: String? = nil
    ) -> [UInt8] {
        var writer = JSONWriter(escaping: escaping, indent: indent)
        writer.value(value)
        return writer.takeBytes()
    }

    package mutating func beginObject() { begin(0x7B) }
    package mutating func endObject() { end(0x7D) }
    package mutating func beginArray() { begin(0x5B) }
    package mutating func endArray() { end(0x5D) }

    package mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(0x3A)
        if indent != nil { bytes.append(0x20) }
        followsName = true
    }

    package mutating func string(_ text: String) {
        separate()
        quote(text)
    }

    package mutating func number(_ value: some BinaryInteger) { raw(String(value)) }
    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }
    package mutating func null() { raw("null") }

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .number(let text): raw(text)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                name(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    private mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        filled.append(false)
    }

    private mutating func end(_ bracket: UInt8) {
        precondition(!filled.isEmpty && !followsName, "an end without its beginning")
        if filled.removeLast() { breakLine() }
        bytes.append(bracket)
    }

    /// What stands between the previous item and the next.
    private mutating func separate() {
        if followsName {
            followsName = false
            return
        }
        guard let hasItems = filled.last else { return }
        if hasItems { bytes.append(0x2C) }
        filled[filled.count - 1] = true
        breakLine()
    }

    private mutating func breakLine() {
        guard let indent else { return }
        bytes.append(0x0A)
        for _ in filled { bytes.append(contentsOf: indent) }
    }

    private mutating func quote(_ text: String) {
        var text = text
        bytes.append(0x22)
        text.withUTF8 { utf8 in
            var start = 0
            var index = 0
            while index < utf8.count {
                let length = escapedLength(utf8, at: index)
                if length == 0 {
                    index += 1
                    continue
                }
                bytes.append(contentsOf: utf8[start..<index])
                escape(utf8, at: index, length: length)
                index += length
                start = index
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(0x22)
    }

    /// How many bytes at `index` make one character that is escaped; 0 when it stays.
    private func escapedLength(_ utf8: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        switch utf8[index] {
        case 0x22, 0x5C, 0..<0x20: 1
        case 0x3C, 0x3E, 0x26: escaping == .html ? 1 : 0
        case 0xE2:
            escaping == .html && index + 2 < utf8.count && utf8[index + 1] == 0x80 && utf8[index + 2] & 0xFE == 0xA8
                ? 3 : 0
        default: 0
        }
    }

    private mutating func escape(_ utf8: UnsafeBufferPointer<UInt8>, at index: Int, length: Int) {
        let short: Character? =
            switch utf8[index] {
            case 0x22: "\""
            case 0x5C: "\\"
            case 0x08: "b"
            case 0x0C: "f"
            case 0x0A: "n"
            case 0x0D: "r"
            case 0x09: "t"
            default: nil
            }
        if let short {
            bytes.append(contentsOf: "\\\(short)".utf8)
        } else if length == 3 {
            bytes.append(contentsOf: (utf8[index + 2] == 0xA8 ? "\\u2028" : "\\u2029").utf8)
        } else {
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(contentsOf: Hex.encode([utf8[index]]).utf8)
        }
    }
}
