import Bytes
import TestSupport
import Testing

@testable import Archiver

@Suite struct ListedFilesTests {
    private func expected(_ random: inout SeededGenerator) -> ExpectedFile {
        var expected = ExpectedFile()
        if Bool.random(using: &random) { expected.byteCount = Int.random(in: 0...(1 << 30), using: &random) }
        if Bool.random(using: &random) { expected.checksum = UInt32.random(in: 0 ... .max, using: &random) }
        if Bool.random(using: &random) {
            expected.modified = Timestamp(
                seconds: Int64.random(in: -100...2_000_000_000, using: &random),
                nanoseconds: Int32.random(in: 0...999_999_999, using: &random))
        }
        return expected
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `it says what a dictionary says`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var files = ListedFiles()
        var dictionary: [String: ExpectedFile] = [:]
        for _ in 0..<5000 {
            // Few enough names that many come twice.
            let text = "base/\(Int.random(in: 1...3, using: &random))/\(Int.random(in: 1...2000, using: &random))"
            let expected = expected(&random)
            files.set(MemberPath(trusted: text), expected)
            dictionary[text] = expected
        }
        #expect(files.count == dictionary.count)
        for (text, expected) in dictionary {
            let number = files.number(of: MemberPath(trusted: text))
            #expect(number.map { files[$0] } == expected)
            #expect(number.map { files.path($0).text } == text)
            #expect(files.number(of: MemberPath(trusted: text + "_fsm")) == nil)
        }
    }

    @Test func `the data directory itself and names beyond ASCII are files as others`() {
        var files = ListedFiles()
        #expect(files.isEmpty)
        #expect(files.number(of: MemberPath(trusted: "")) == nil)
        // The same to the eye and to Swift's comparison of strings, not to the kernel.
        for text in ["", "e\u{301}", "\u{E9}"] { files.set(MemberPath(trusted: text), ExpectedFile()) }
        #expect(files.count == 3)
        #expect(files.number(of: MemberPath(trusted: "")) == 0)
        #expect(files.number(of: MemberPath(trusted: "\u{E9}")) == 2)
    }
}
