import Testing

@testable import Postgres

@Suite struct LSNTests {
    @Test(
        arguments: [
            ("0/5000028", 0x500_0028), ("0/0", 0), ("1A/FFFFFFFF", 0x1A_FFFF_FFFF), ("16/B374D848", 0x16_B374_D848),
            ("FFFFFFFF/FFFFFFFF", UInt64.max),
        ] as [(String, UInt64)])
    func `a position is read and printed as PostgreSQL does`(text: String, value: UInt64) {
        #expect(LSN(text) == LSN(value))
        #expect(LSN(value).description == text)
    }

    @Test func `both letter cases and padding are read`() {
        #expect(LSN("0/0500002a") == LSN(0x500_002A))
    }

    @Test(
        arguments: [
            "", "/", "0/", "/0", "0", "0/0/0", "0x0/0", "0/123456789", " 0/0", "0/0 ", "0/-1", "0/+1", "g/0", "0\\0",
        ])
    func `other text is refused`(text: String) {
        #expect(LSN(text) == nil)
    }

    @Test func `positions are ordered`() {
        #expect(LSN(0xFFFF_FFFF) < LSN(0x1_0000_0000))
        #expect(TimelineID(2) < 10)
    }
}
