import Bytes
import Testing

@Suite struct JSONReaderTests {
    /// Tokens of `text`, fed in chunks of `size` bytes.
    private static func tokens(_ text: [UInt8], chunk size: Int, depthLimit: Int = 256) throws -> [JSONToken] {
        var reader = JSONReader(depthLimit: depthLimit)
        var tokens: [JSONToken] = []
        for start in stride(from: 0, to: text.count, by: size) {
            let chunk = Array(text[start..<min(start + size, text.count)])
            var position = 0
            while let token = try reader.next(chunk.span.bytes, from: &position) { tokens.append(token) }
        }
        if let token = try reader.finish() { tokens.append(token) }
        return tokens
    }

    private static let sample = Array(
        """
        {"a": [1, -2.5e+3, true, false, null], "\\u00e9\\ud83d\\ude00": "q\\"\\\\\\/\\b\\f\\n\\r\\t", "Ä": {}, "e": []}
        """.utf8)

    private static let sampleTokens: [JSONToken] = [
        .beginObject, .name("a"), .beginArray, .number("1"), .number("-2.5e+3"), .bool(true), .bool(false), .null,
        .endArray, .name("é😀"), .string("q\"\\/\u{8}\u{c}\n\r\t"), .name("Ä"), .beginObject, .endObject, .name("e"),
        .beginArray, .endArray, .endObject,
    ]

    @Test(arguments: [1, 2, 3, 5, 7, 16, 1000])
    func `a document cut into chunks of any size gives the same tokens`(size: Int) throws {
        #expect(try Self.tokens(Self.sample, chunk: size) == Self.sampleTokens)
    }

    @Test func `every proper prefix of a document is refused as truncated`() {
        for count in 0..<Self.sample.count {
            let error = #expect(throws: JSONError.self) {
                try Self.tokens(Array(Self.sample[..<count]), chunk: 4)
            }
            #expect(error?.kind == .truncated, "\(count)")
        }
    }

    @Test func `every flip of one byte gives tokens or an error`() {
        for index in Self.sample.indices {
            for value in UInt8.min ... .max {
                var broken = Self.sample
                broken[index] = value
                _ = try? Self.tokens(broken, chunk: 64)
            }
        }
    }

    @Test(
        arguments: [
            ("18446744073709551615", [.number("18446744073709551615")]), (" 0 ", [.number("0")]),
            ("-0", [.number("-0")]),
            ("1E5", [.number("1E5")]), ("\"\"", [.string("")]), ("null", [.null]),
        ] as [(String, [JSONToken])])
    func `a value alone is a document`(text: String, expected: [JSONToken]) throws {
        #expect(try Self.tokens(Array(text.utf8), chunk: 1) == expected)
    }

    @Test(arguments: [
        ("01", JSONError(.syntax, offset: 2, detail: "'01' is not a number")),
        ("[1.]", JSONError(.syntax, offset: 3, detail: "'1.' is not a number")),
        ("-", JSONError(.syntax, offset: 1, detail: "'-' is not a number")),
        ("1e", JSONError(.syntax, offset: 2, detail: "'1e' is not a number")),
        ("+1", JSONError(.syntax, offset: 0, detail: "unexpected '+'")),
        ("[1,]", JSONError(.syntax, offset: 3, detail: "unexpected ']'")),
        ("{\"a\":1,}", JSONError(.syntax, offset: 7, detail: "unexpected '}'")),
        ("{\"a\" 1}", JSONError(.syntax, offset: 5, detail: "unexpected '1'")),
        ("{1:1}", JSONError(.syntax, offset: 1, detail: "unexpected '1'")),
        ("[1}", JSONError(.syntax, offset: 2, detail: "unexpected '}'")),
        ("{]", JSONError(.syntax, offset: 1, detail: "unexpected ']'")),
        ("[1 2]", JSONError(.syntax, offset: 3, detail: "unexpected '2'")),
        ("{}{}", JSONError(.syntax, offset: 2, detail: "unexpected '{'")),
        ("nul1", JSONError(.syntax, offset: 3, detail: "'null' is misspelt")),
        ("truex", JSONError(.syntax, offset: 4, detail: "unexpected 'x'")),
        ("\"\u{1}\"", JSONError(.syntax, offset: 1, detail: "a control character in a string")),
        ("\"\\x\"", JSONError(.syntax, offset: 2, detail: "no escape is written with 'x'")),
        ("\"\\u00g0\"", JSONError(.syntax, offset: 5, detail: "'g' is not a hexadecimal digit")),
        ("\"\\ud800\"", JSONError(.encoding, offset: 7, detail: "half a surrogate pair")),
        ("\"\\udc00\"", JSONError(.encoding, offset: 6, detail: "half a surrogate pair")),
        ("\"\\ud800\\n\"", JSONError(.encoding, offset: 8, detail: "half a surrogate pair")),
        ("\"\\ud800\\u0041\"", JSONError(.encoding, offset: 12, detail: "half a surrogate pair")),
        ("\u{FEFF}1", JSONError(.syntax, offset: 0, detail: "unexpected byte 0xEF")),
        ("", JSONError(.truncated, offset: 0, detail: "the document ends too early")),
    ])
    func `what the grammar does not allow is refused where it stands`(text: String, expected: JSONError) {
        for size in [1, 100] {
            #expect(throws: expected) { try Self.tokens(Array(text.utf8), chunk: size) }
        }
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0x80],
        ] as [[UInt8]])
    func `text that is not UTF-8 is refused`(bytes: [UInt8]) {
        #expect(throws: JSONError(.encoding, offset: bytes.count + 1, detail: "the text that ends here is not UTF-8")) {
            try Self.tokens([0x22] + bytes + [0x22], chunk: 1)
        }
    }

    @Test func `nesting is limited`() throws {
        let deep = Array(String(repeating: "[", count: 9).utf8)
        #expect(throws: JSONError(.tooLarge, offset: 8, detail: "nested deeper than 8")) {
            try Self.tokens(deep, chunk: 100, depthLimit: 8)
        }
        let fits = String(repeating: "[", count: 8) + String(repeating: "]", count: 8)
        #expect(try Self.tokens(Array(fits.utf8), chunk: 100, depthLimit: 8).count == 16)
    }

    @Test func `a text longer than the limit is refused before it is held`() {
        var reader = JSONReader(textLimit: 8)
        var position = 0
        let text = Array("\"123456789\"".utf8)
        #expect(throws: JSONError(.tooLarge, offset: 10, detail: "a text longer than 8 bytes")) {
            try reader.next(text.span.bytes, from: &position)
        }
    }
}
