import Bytes
import Testing

@Suite struct Base64Tests {
    // RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of the RFC are kept`(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z===", "Zm9v\n", "Zm 9", "Zm-_", "Zg==Zg=="])
    func `what is not padded base64 is refused`(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func `every byte comes back`() {
        let bytes = Array(UInt8.min ... .max)
        for count in 250...256 {
            let part = Array(bytes.suffix(count))
            #expect(Base64.decode(Base64.encode(part)) == part)
        }
    }
}
