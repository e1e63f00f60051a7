import Bytes
import Testing

@Suite struct JSONWriterTests {
    // Expected texts are what Go 1.24's encoding/json and encoding/json/v2 write for the same strings.
    @Test(arguments: [
        ("a<b>&c", #""a\u003cb\u003e\u0026c""#, #""a<b>&c""#),
        ("\u{2028}\u{2029}\u{2027}", "\"\\u2028\\u2029\u{2027}\"", "\"\u{2028}\u{2029}\u{2027}\""),
        ("\"\\/", #""\"\\/""#, #""\"\\/""#),
        (
            "\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}", "\"\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\"",
            "\"\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\""
        ),
        ("é😀", "\"é😀\"", "\"é😀\""), ("", "\"\"", "\"\""),
    ])
    func `text is escaped as Go does`(text: String, html: String, minimal: String) {
        #expect(String(decoding: JSONWriter.bytes(of: .string(text), escaping: .html), as: UTF8.self) == html)
        #expect(String(decoding: JSONWriter.bytes(of: .string(text)), as: UTF8.self) == minimal)
    }

    @Test func `a document is written without spaces`() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("lsn")
        writer.number(UInt64.max)
        writer.name("list")
        writer.beginArray()
        writer.bool(true)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.string("x")
        writer.endArray()
        writer.name("minus")
        writer.number(-1)
        writer.endObject()
        let expected = #"{"lsn":18446744073709551615,"list":[true,null,{},"x"],"minus":-1}"#
        #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == expected)
        #expect(writer.byteCount == 0)
    }

    @Test func `an indent puts each item on its line, as MarshalIndent`() throws {
        let value = try JSONValue.parse(Array(#"[{"a":1,"b":[],"c":{}},[2,3]]"#.utf8))
        let expected = """
            [
                {
                    "a": 1,
                    "b": [],
                    "c": {}
                },
                [
                    2,
                    3
                ]
            ]
            """
        #expect(String(decoding: JSONWriter.bytes(of: value, indent: "    "), as: UTF8.self) == expected)
    }

    @Test func `bytes taken in between join to the same document`() {
        var writer = JSONWriter()
        var joined: [UInt8] = []
        writer.beginArray()
        for number in 0..<4 {
            writer.number(number)
            joined += writer.takeBytes()
        }
        writer.endArray()
        joined += writer.takeBytes()
        #expect(String(decoding: joined, as: UTF8.self) == "[0,1,2,3]")
    }

    @Test func `what was written is read back, for seeded random values`() throws {
        var random = Seeded(state: 42)
        for _ in 0..<300 {
            let value = random.value(depth: 4)
            #expect(try JSONValue.parse(JSONWriter.bytes(of: value, escaping: .html)) == value)
            #expect(try JSONValue.parse(JSONWriter.bytes(of: value, indent: "  ")) == value)
        }
    }

    private struct Seeded {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }

        mutating func text() -> String {
            var text = ""
            for _ in 0..<next(6) {
                let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "<", "é", "\u{2028}", "😀", "\u{0}"]
                text.unicodeScalars.append(scalars[next(scalars.count)])
            }
            return text
        }

        mutating func value(depth: Int) -> JSONValue {
            switch next(depth > 0 ? 6 : 4) {
            case 0: return .null
            case 1: return .bool(next(2) == 0)
            case 2: return .number(String(next(1000) - 500))
            case 3: return .string(text())
            case 4: return .array((0..<next(4)).map { _ in value(depth: depth - 1) })
            default: return .object((0..<next(4)).map { _ in JSONMember(text(), value(depth: depth - 1)) })
            }
        }
    }
}
