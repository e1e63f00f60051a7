/// A piece of a JSON document, in document order.
package enum JSONToken: Equatable, Sendable {
    case beginObject, endObject, beginArray, endArray, null
    case bool(Bool)
    /// A member's name; its value follows.
    case name(String)
    case string(String)
    /// The digits as they stand in the document.
    case number(String)
}

/// A pull parser for JSON (RFC 8259) that arrives in chunks of any size.
///
/// It holds one text and the nesting, never the document. Text must be UTF-8 and surrogate escapes must come in pairs;
/// duplicate names are passed on. The caller asks for tokens of a chunk until there are none, goes on with the next
/// chunk, and calls `finish()` after the last.
package struct JSONReader: Sendable {
    private enum Expectation {
        case value, valueOrEnd, name, nameOrEnd, colon, commaOrEnd, nothing
    }

    private enum Lexeme {
        case none, string, escape, unicode, number, literal
    }

    /// Bytes read before the current chunk.
    private var consumed = 0
    private var expectation = Expectation.value
    private var lexeme = Lexeme.none
    /// Open brackets, outermost first: true for an object.
    private var nesting: [Bool] = []
    /// Bytes of the lexeme under way.
    private var text: [UInt8] = []
    private var isName = false
    private var unicodeDigits = 0
    private var unicode: UInt32 = 0
    private var highSurrogate: UInt32?
    private let depthLimit: Int
    private let textLimit: Int

    /// Accepts `depthLimit` open brackets and texts of `textLimit` bytes.
    package init(depthLimit: Int = 256, textLimit: Int = 64 << 20) {
        self.depthLimit = depthLimit
        self.textLimit = textLimit
    }

    /// How many brackets are open.
    package var depth: Int { nesting.count }

    /// Bytes of the document in chunks that were read to their end.
    package var byteCount: Int { consumed }

    /// The next token of `chunk`, whose first `position` bytes were read already; nil at the end of the chunk.
    ///
    /// After nil the chunk counts as read, and the next call brings the next chunk with position 0.
    package mutating func next(_ chunk: RawSpan, from position: inout Int) throws(JSONError) -> JSONToken? {
        var index = position
        defer { position = index }
        let token = try chunk.withUnsafeBytes { bytes throws(JSONError) -> JSONToken? in
            while index < bytes.count {
                if let token = try step(bytes, &index) { return token }
            }
            return nil
        }
        if token == nil { consumed += chunk.byteCount }
        return token
    }

    /// Ends the document; returns a number that nothing but the end could complete.
    ///
    /// - Throws: `truncated` when the document is not complete.
    package mutating func finish() throws(JSONError) -> JSONToken? {
        var token: JSONToken?
        if lexeme == .number && nesting.isEmpty { token = try endNumber(at: consumed) }
        guard expectation == .nothing, lexeme == .none else {
            throw JSONError(.truncated, offset: consumed, detail: "the document ends too early")
        }
        return token
    }

    private mutating func step(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(JSONError) -> JSONToken? {
        switch lexeme {
        case .none: return try start(bytes, &index)
        case .string: return try string(bytes, &index)
        case .escape:
            try escape(bytes[index], at: consumed + index)
            index += 1
            return nil
        case .unicode:
            try unicodeDigit(bytes[index], at: consumed + index)
            index += 1
            return nil
        case .number:
            while index < bytes.count, Self.continuesNumber(bytes[index]) {
                text.append(bytes[index])
                index += 1
            }
            try checkLength(at: consumed + index)
            return index < bytes.count ? try endNumber(at: consumed + index) : nil
        case .literal:
            text.append(bytes[index])
            index += 1
            return try literal(at: consumed + index)
        }
    }

    /// Reads white space, punctuation, or the first byte of a longer lexeme.
    private mutating func start(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(JSONError) -> JSONToken? {
        let byte = bytes[index]
        let offset = consumed + index
        index += 1
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: return nil
        case 0x2C where expectation == .commaOrEnd:
            expectation = nesting.last == true ? .name : .value
            return nil
        case 0x3A where expectation == .colon:
            expectation = .value
            return nil
        case 0x22 where expectation == .name || expectation == .nameOrEnd:
            isName = true
            lexeme = .string
            text.removeAll(keepingCapacity: true)
            return nil
        case 0x7D where nesting.last == true && (expectation == .commaOrEnd || expectation == .nameOrEnd):
            return close(.endObject)
        case 0x5D where nesting.last == false && (expectation == .commaOrEnd || expectation == .valueOrEnd):
            return close(.endArray)
        default: break
        }
        guard expectation == .value || expectation == .valueOrEnd else {
            throw JSONError(.syntax, offset: offset, detail: "unexpected \(Self.named(byte))")
        }
        text.removeAll(keepingCapacity: true)
        switch byte {
        case 0x7B, 0x5B:
            guard nesting.count < depthLimit else {
                throw JSONError(.tooLarge, offset: offset, detail: "nested deeper than \(depthLimit)")
            }
            nesting.append(byte == 0x7B)
            expectation = byte == 0x7B ? .nameOrEnd : .valueOrEnd
            return byte == 0x7B ? .beginObject : .beginArray
        case 0x22:
            isName = false
            lexeme = .string
        case 0x2D, 0x30...0x39:
            lexeme = .number
            text.append(byte)
        case 0x74, 0x66, 0x6E:
            lexeme = .literal
            text.append(byte)
        default: throw JSONError(.syntax, offset: offset, detail: "unexpected \(Self.named(byte))")
        }
        return nil
    }

    private mutating func close(_ token: JSONToken) -> JSONToken {
        nesting.removeLast()
        endValue()
        return token
    }

    private mutating func endValue() {
        lexeme = .none
        expectation = nesting.isEmpty ? .nothing : .commaOrEnd
    }

    private func checkLength(at offset: Int) throws(JSONError) {
        guard text.count <= textLimit else {
            throw JSONError(.tooLarge, offset: offset, detail: "a text longer than \(textLimit) bytes")
        }
    }

    private mutating func string(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(JSONError) -> JSONToken? {
        if bytes[index] != 0x5C, highSurrogate != nil {
            throw JSONError(.encoding, offset: consumed + index, detail: "half a surrogate pair")
        }
        let first = index
        while index < bytes.count, bytes[index] != 0x22, bytes[index] != 0x5C, bytes[index] >= 0x20 { index += 1 }
        text.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[first..<index]))
        try checkLength(at: consumed + index)
        guard index < bytes.count else { return nil }
        let offset = consumed + index
        index += 1
        switch bytes[index - 1] {
        case 0x22: return try endString(at: offset)
        case 0x5C:
            lexeme = .escape
            return nil
        default: throw JSONError(.syntax, offset: offset, detail: "a control character in a string")
        }
    }

    private mutating func endString(at offset: Int) throws(JSONError) -> JSONToken {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw JSONError(.encoding, offset: offset, detail: "the text that ends here is not UTF-8")
        }
        guard isName else {
            endValue()
            return .string(string)
        }
        lexeme = .none
        expectation = .colon
        return .name(string)
    }

    private mutating func escape(_ byte: UInt8, at offset: Int) throws(JSONError) {
        if byte == 0x75 {
            lexeme = .unicode
            unicode = 0
            unicodeDigits = 0
            return
        }
        guard highSurrogate == nil else {
            throw JSONError(.encoding, offset: offset, detail: "half a surrogate pair")
        }
        lexeme = .string
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        default: throw JSONError(.syntax, offset: offset, detail: "no escape is written with \(Self.named(byte))")
        }
    }

    private mutating func unicodeDigit(_ byte: UInt8, at offset: Int) throws(JSONError) {
        guard let digit = Hex.value(byte) else {
            throw JSONError(.syntax, offset: offset, detail: "\(Self.named(byte)) is not a hexadecimal digit")
        }
        unicode = unicode << 4 | UInt32(digit)
        unicodeDigits += 1
        guard unicodeDigits == 4 else { return }
        lexeme = .string
        switch (highSurrogate, unicode) {
        case (nil, 0xD800...0xDBFF): highSurrogate = unicode
        case (let high?, 0xDC00...0xDFFF):
            highSurrogate = nil
            append(0x10000 + (high - 0xD800) << 10 + (unicode - 0xDC00))
        case (nil, 0..<0xD800), (nil, 0xE000...): append(unicode)
        default: throw JSONError(.encoding, offset: offset, detail: "half a surrogate pair")
        }
    }

    private mutating func append(_ value: UInt32) {
        guard let scalar = Unicode.Scalar(value) else { return }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private static func continuesNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
        default: false
        }
    }

    private mutating func endNumber(at offset: Int) throws(JSONError) -> JSONToken {
        let digits = String(decoding: text, as: UTF8.self)
        guard JSONValue.isNumber(text) else {
            throw JSONError(.syntax, offset: offset, detail: "'\(digits.prefix(40))' is not a number")
        }
        endValue()
        return .number(digits)
    }

    private mutating func literal(at offset: Int) throws(JSONError) -> JSONToken? {
        let (word, token): (StaticString, JSONToken) =
            switch text[0] {
            case 0x74: ("true", .bool(true))
            case 0x66: ("false", .bool(false))
            default: ("null", .null)
            }
        let isPrefix = word.withUTF8Buffer { $0.prefix(text.count).elementsEqual(text) }
        guard isPrefix else {
            throw JSONError(.syntax, offset: offset - 1, detail: "'\(word)' is misspelt")
        }
        guard text.count == word.utf8CodeUnitCount else { return nil }
        endValue()
        return token
    }

    private static func named(_ byte: UInt8) -> String {
        (0x21...0x7E).contains(byte)
            ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(Hex.digits(byte, width: 2))"
    }
}
