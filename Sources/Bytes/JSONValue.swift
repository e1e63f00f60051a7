/// A JSON value; numbers keep their text and objects their order.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// Reads one document.
    package static func parse(_ bytes: [UInt8], depthLimit: Int = 256) throws(JSONError) -> JSONValue {
        var reader = JSONReader(depthLimit: depthLimit)
        var builder = JSONValueBuilder()
        var position = 0
        let span = bytes.span.bytes
        while let token = try reader.next(span, from: &position) { builder.add(token) }
        if let token = try reader.finish() { builder.add(token) }
        guard let value = builder.value else {
            throw JSONError(.truncated, offset: bytes.count, detail: "the document ends too early")
        }
        return value
    }

    /// The value of the member called `name`, the last one when there are several; nil for values but objects.
    ///
    /// Case-insensitive (in ASCII) is how Go reads into structures: the last member wins there too, even over an
    /// earlier one with the exact name.
    package func member(_ name: String, caseInsensitive: Bool = false) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last {
            $0.name == name || (caseInsensitive && JSONMember.isSameIgnoringCase($0.name, name))
        }?.value
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var object: [JSONMember]? { if case .object(let members) = self { members } else { nil } }
    package var isNull: Bool { self == .null }

    /// The number, when it is written as an integer that fits.
    package func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
        if case .number(let text) = self { Number(text) } else { nil }
    }

    package var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    /// Names sorted bytewise at every level, of equal names the last kept: how Go writes its maps.
    package var sortedByName: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.sortedByName))
        case .object(let members):
            var last: [String: JSONValue] = [:]
            for member in members { last[member.name] = member.value.sortedByName }
            let sorted = last.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return .object(sorted.map { JSONMember($0.key, $0.value) })
        default: return self
        }
    }

    /// True when both mean the same: order of members aside, and `1.0` equal to `1`.
    package func isEquivalent(to other: JSONValue) -> Bool {
        Self.isEquivalent(sortedByName, other.sortedByName)
    }

    private static func isEquivalent(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)):
            if left == right { return true }
            // Two different integers may be one Double.
            if let left = Int128(left), let right = Int128(right) { return left == right }
            return Double(left) == Double(right)
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { isEquivalent($0, $1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && zip(left, right).allSatisfy { $0.name == $1.name && isEquivalent($0.value, $1.value) }
        default: return left == right
        }
    }

    /// Whether `text` is a number by RFC 8259, section 6.
    static func isNumber(_ text: [UInt8]) -> Bool {
        var index = 0
        func digits() -> Bool {
            let first = index
            while index < text.count, (0x30...0x39).contains(text[index]) { index += 1 }
            return index > first
        }
        if index < text.count, text[index] == 0x2D { index += 1 }
        let leadsWithZero = index < text.count && text[index] == 0x30
        let first = index
        guard digits(), !leadsWithZero || index == first + 1 else { return false }
        if index < text.count, text[index] == 0x2E {
            index += 1
            guard digits() else { return false }
        }
        if index < text.count, text[index] | 0x20 == 0x65 {
            index += 1
            if index < text.count, text[index] == 0x2B || text[index] == 0x2D { index += 1 }
            guard digits() else { return false }
        }
        return index == text.count
    }
}

/// A name and its value in a JSON object.
package struct JSONMember: Equatable, Sendable {
    package let name: String
    package let value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }

    /// Whether two names differ in the case of ASCII letters at most.
    package static func isSameIgnoringCase(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { folded($0) == folded($1) }
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}

/// Makes values out of tokens, in time linear in their number.
package struct JSONValueBuilder: Sendable {
    private struct Open {
        /// Where the container's items begin in `items`.
        let start: Int
        let isObject: Bool
        /// The name that the container itself has in the one around it.
        let name: String
    }

    /// Finished items of all open containers, the innermost's last; those of arrays have no name.
    private var items: [JSONMember] = []
    private var open: [Open] = []
    private var name = ""
    /// The value, when its last token was added.
    package private(set) var value: JSONValue?

    package init() {}

    /// Takes the next token of the value, in the order the reader gives them.
    package mutating func add(_ token: JSONToken) {
        switch token {
        case .beginObject: open.append(Open(start: items.count, isObject: true, name: name))
        case .beginArray: open.append(Open(start: items.count, isObject: false, name: name))
        case .endObject, .endArray:
            guard let container = open.popLast() else { return }
            let members = Array(items[container.start...])
            items.removeSubrange(container.start...)
            name = container.name
            complete(container.isObject ? .object(members) : .array(members.map(\.value)))
        case .name(let text): name = text
        case .null: complete(.null)
        case .bool(let flag): complete(.bool(flag))
        case .string(let text): complete(.string(text))
        case .number(let text): complete(.number(text))
        }
    }

    private mutating func complete(_ finished: JSONValue) {
        guard let container = open.last else {
            value = finished
            return
        }
        items.append(JSONMember(container.isObject ? name : "", finished))
    }
}
