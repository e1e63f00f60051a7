import Bytes
import Testing

@Suite struct HexTests {
    @Test func `bytes become digits and come back`() {
        let bytes = Array(UInt8.min ... .max)
        #expect(Hex.encode([0x00, 0x9F, 0xAB]) == "009fab")
        #expect(Hex.encode([0x00, 0x9F, 0xAB], uppercase: true) == "009FAB")
        #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        #expect(Hex.decode(Hex.encode(bytes, uppercase: true)) == bytes)
        #expect(Hex.decode("") == [])
    }

    @Test(arguments: ["0", "000", "0g", " 00", "0x", "é0"])
    func `text that is not pairs of digits is refused`(text: String) { #expect(Hex.decode(text) == nil) }

    @Test func `integers are padded but never cut`() {
        #expect(Hex.digits(UInt32(0xAB), width: 8) == "000000AB")
        #expect(Hex.digits(UInt64.max, width: 8) == "FFFFFFFFFFFFFFFF")
        #expect(Hex.digits(UInt8(0), width: 0) == "0")
    }
}
