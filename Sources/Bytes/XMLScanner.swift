/// Text that is not the XML this program reads: where, and what was wrong.
package struct XMLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// In bytes from the start.
    package let offset: Int
    package let reason: String

    package var description: String { "XML at byte \(offset): \(reason)" }
}

/// A pull reader for the XML of S3 replies: elements, text, CDATA, the five entities and character references.
///
/// Attributes, comments and processing instructions are passed over; namespace prefixes are cut off. A document type
/// and entities of its own are refused: no S3 server sends them, and they are how XML attacks its readers.
package struct XMLScanner {
    package enum Event: Equatable, Sendable {
        case start(String)
        case text(String)
        case end(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var open: [String] = []
    private var pendingEnd = false
    private var hasRoot = false

    /// Elements within elements, at most.
    package static let depthLimit = 64

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next event; nil at the end of a well-formed document.
    ///
    /// Text comes in one event for each stretch between tags, white space included.
    package mutating func next() throws(XMLError) -> Event? {
        if pendingEnd {
            pendingEnd = false
            return .end(open.removeLast())
        }
        while position < bytes.count {
            guard bytes[position] == 0x3C else {
                if let text = try text() { return .text(text) }
                continue
            }
            if matches("<?") {
                try skip(past: "?>")
            } else if matches("<!--") {
                try skip(past: "-->")
            } else if matches("<![CDATA[") {
                return try characterData()
            } else if matches("<!") {
                throw fail("a declaration, which is not accepted here")
            } else if matches("</") {
                return try endTag()
            } else {
                return try startTag()
            }
        }
        guard open.isEmpty else { throw fail("the end within <\(open[open.count - 1])>") }
        guard hasRoot else { throw fail("no element") }
        return nil
    }

    private func fail(_ reason: String) -> XMLError { XMLError(offset: position, reason: reason) }

    private func matches(_ text: StaticString) -> Bool {
        guard position + text.utf8CodeUnitCount <= bytes.count else { return false }
        for index in 0..<text.utf8CodeUnitCount where bytes[position + index] != text.utf8Start[index] { return false }
        return true
    }

    private mutating func skip(past end: StaticString) throws(XMLError) {
        let start = position
        while position < bytes.count {
            if matches(end) {
                position += end.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw XMLError(offset: start, reason: "no \(end) follows")
    }

    private mutating func characterData() throws(XMLError) -> Event {
        guard !open.isEmpty else { throw fail("text outside of the root element") }
        let start = position + 9
        try skip(past: "]]>")
        return .text(String(decoding: bytes[min(start, position - 3)..<position - 3], as: UTF8.self))
    }

    private mutating func text() throws(XMLError) -> String? {
        var content: [UInt8] = []
        while position < bytes.count, bytes[position] != 0x3C {
            if bytes[position] == 0x26 {
                try reference(into: &content)
            } else {
                content.append(bytes[position])
                position += 1
            }
        }
        guard open.isEmpty else { return String(decoding: content, as: UTF8.self) }
        guard content.allSatisfy({ Self.isSpace($0) }) else { throw fail("text outside of the root element") }
        return nil
    }

    private mutating func reference(into content: inout [UInt8]) throws(XMLError) {
        guard let end = bytes[position...].prefix(16).firstIndex(of: 0x3B) else {
            throw fail("an & that begins no reference")
        }
        let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
        switch name {
        case "amp": content.append(0x26)
        case "lt": content.append(0x3C)
        case "gt": content.append(0x3E)
        case "quot": content.append(0x22)
        case "apos": content.append(0x27)
        default:
            let digits = name.hasPrefix("#x") ? name.dropFirst(2) : name.dropFirst()
            guard name.hasPrefix("#"), !digits.hasPrefix("+"),
                let value = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10),
                value != 0, let scalar = Unicode.Scalar(value)
            else { throw fail("an unknown reference &\(name);") }
            content.append(contentsOf: Character(scalar).utf8)
        }
        position = end + 1
    }

    private mutating func name() throws(XMLError) -> String {
        let start = position
        var localStart = position
        while position < bytes.count, Self.isName(bytes[position]) {
            if bytes[position] == 0x3A { localStart = position + 1 }
            position += 1
        }
        guard position > localStart else { throw XMLError(offset: start, reason: "no name where one must be") }
        return String(decoding: bytes[localStart..<position], as: UTF8.self)
    }

    private mutating func startTag() throws(XMLError) -> Event {
        guard !open.isEmpty || !hasRoot else { throw fail("a second root element") }
        guard open.count < Self.depthLimit else { throw fail("elements nested too deep") }
        position += 1
        let name = try name()
        while position < bytes.count {
            switch bytes[position] {
            case 0x3E:
                position += 1
                open.append(name)
                hasRoot = true
                return .start(name)
            case 0x2F:
                guard matches("/>") else { throw fail("a / within a tag") }
                position += 2
                open.append(name)
                hasRoot = true
                pendingEnd = true
                return .start(name)
            case 0x22, 0x27:
                let quote = bytes[position]
                guard let end = bytes[(position + 1)...].firstIndex(of: quote) else { throw fail("a quote left open") }
                position = end + 1
            case 0x3C: throw fail("a < within a tag")
            default: position += 1
            }
        }
        throw fail("the end within a tag")
    }

    private mutating func endTag() throws(XMLError) -> Event {
        let start = position
        position += 2
        let name = try name()
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
        guard position < bytes.count, bytes[position] == 0x3E else { throw fail("a tag that does not end") }
        guard open.last == name else { throw XMLError(offset: start, reason: "</\(name)> closes nothing") }
        position += 1
        open.removeLast()
        return .end(name)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
        default: false
        }
    }
}
