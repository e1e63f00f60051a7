import Bytes
import Testing

@Suite struct JSONValueTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test func `integers are exact up to the largest of 64 bits`() throws {
        let value = try parse("[18446744073709551615, -9223372036854775808, 7411923452312345678, 1.0, 1e3, \"1\"]")
        let elements = try #require(value.array)
        #expect(elements[0].integer(UInt64.self) == .max)
        #expect(elements[0].integer(Int64.self) == nil)
        #expect(elements[1].integer(Int64.self) == .min)
        #expect(elements[2].integer(UInt64.self) == 7_411_923_452_312_345_678)
        #expect(elements[3].integer(Int.self) == nil)
        #expect(elements[3].double == 1)
        #expect(elements[4].integer(Int.self) == nil)
        #expect(elements[5].integer(Int.self) == nil)
    }

    @Test func `of members with one name the last is found`() throws {
        let value = try parse(#"{"LSN":1,"lsn":2,"LSN":3,"lSn":4}"#)
        #expect(value.member("LSN") == .number("3"))
        #expect(value.member("LSN", caseInsensitive: true) == .number("4"))
        #expect(value.member("Lsn") == nil)
        #expect(JSONValue.null.member("LSN") == nil)
    }

    @Test func `accessors answer for their own kind alone`() throws {
        let value = try parse(#"{"a":[1],"b":true,"c":null,"d":"x"}"#)
        #expect(value.object?.count == 4)
        #expect(value.member("a")?.array == [.number("1")])
        #expect(value.member("b")?.bool == true)
        #expect(value.member("c")?.isNull == true)
        #expect(value.member("d")?.string == "x")
        #expect(value.member("d")?.bool == nil)
        #expect(value.member("d")?.double == nil)
        #expect(value.string == nil)
        #expect(value.array == nil)
        #expect(value.member("d")?.object == nil)
    }

    @Test(arguments: [
        (#"{"a":1,"b":[2]}"#, #"{"b":[2.0],"a":1e0}"#, true), (#"{"a":1,"a":2}"#, #"{"a":2}"#, true),
        ("[1,2]", "[2,1]", false), ("[1]", "[1,1]", false), ("1", "\"1\"", false), ("null", "false", false),
        ("9007199254740993", "9007199254740992", false), (#"{"a":null}"#, "{}", false),
        (#"{"a":1}"#, #"{"b":1}"#, false),
    ])
    func `equivalence is of meaning, not of writing`(left: String, right: String, expected: Bool) throws {
        #expect(try parse(left).isEquivalent(to: parse(right)) == expected)
    }

    @Test func `sorting by name goes all the way down`() throws {
        let value = try parse(#"{"b":[{"z":1,"y":2}],"a":0,"b2":1,"B":2}"#)
        let bytes = JSONWriter.bytes(of: value.sortedByName)
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"B":2,"a":0,"b":[{"y":2,"z":1}],"b2":1}"#)
    }

    @Test func `every prefix and every flip of a byte is a value or an error`() throws {
        let text = Array(#"{"a":[1,{"b":"\u00e9\n"}],"c":-1.5e3,"d":null}"#.utf8)
        for count in text.indices {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(text[..<count])) }
        }
        for index in text.indices {
            for value in UInt8.min ... .max {
                var broken = text
                broken[index] = value
                if let parsed = try? JSONValue.parse(broken) {
                    #expect(try JSONValue.parse(JSONWriter.bytes(of: parsed)) == parsed)
                }
            }
        }
    }
}
