import Bytes
import Testing

@testable import Storage

@Suite struct LocalPathTests {
    /// The form is WAL-G's, walg.md §2.6.
    @Test(arguments: [
        ("000000010000000000000001.lz4.tmp.20260821T180235Z-0123456789abcdef", true),
        (".tmp.20260821T180235Z-0123456789abcdef", true),
        ("a.tmp.20260821T180235Z-0123456789abcdeg", false),
        ("a.tmp.20260821T180235Z-0123456789ABCDEF", false),
        ("a.tmp.20260821T180235Z-0123456789abcde", false),
        ("a.tmp.2026082T1180235Z-0123456789abcdef", false),
        ("a.tmp.20260821T180235Z-0123456789abcdef.lz4", false),
        ("a-tmp.20260821T180235Z-0123456789abcdef", false),
        ("a.tmp", false),
        ("", false),
    ])
    func `temporary names are told by their ending`(name: String, isTemporary: Bool) {
        #expect(LocalPath.isTemporary(name) == isTemporary)
    }

    @Test func `a temporary name has the time in UTC and a random number`() {
        let name = LocalPath.temporaryName(
            for: "object", now: Timestamp(seconds: 1_787_335_355), random: 0x0123_4567_89AB_CDEF)
        #expect(name == "object.tmp.20260821T180235Z-0123456789abcdef")
    }

    @Test(arguments: ["a", "ä", "🙂", "e\u{301}"])
    func `a long name is cut between characters so that the whole fits`(character: String) {
        for length in 200...255 {
            let name = String(repeating: character, count: length / character.utf8.count)
            let temporary = LocalPath.temporaryName(for: name, now: Timestamp(seconds: 0), random: 0)
            #expect(temporary.utf8.count <= 255)
            #expect(LocalPath.isTemporary(temporary))
            #expect(name.unicodeScalars.starts(with: temporary.unicodeScalars.dropLast(38)))
        }
    }
}
