import Postgres
import Repository
import Testing

@Suite struct BackupNameTests {
    @Test(arguments: [
        "base_000000010000000000000005", "base_000000010000000000000007_D_000000010000000000000005",
        "base_0000000100000000000000FF_00000028",
        "base_000000010000000000000007_D_000000010000000000000005_DEADBEEF",
    ])
    func `names by the grammar are read and written again`(text: String) throws {
        #expect(try #require(BackupName(text)).description == text)
    }

    @Test(arguments: [
        "", "base_", "base_00000001000000000000000", "base_0000000100000000000000055",
        "base_00000001000000000000000a", "basf_000000010000000000000005", "base_000000010000000000000005_D_",
        "base_000000010000000000000005_D_00000001000000000000000", "base_000000010000000000000005_0000002",
        "base_000000010000000000000005_000000280", "base_000000010000000000000005_0000002g",
        "base_000000010000000000000005/", " base_000000010000000000000005",
        "base_000000010000000000000005_D_000000010000000000000004_D_000000010000000000000003",
    ])
    func `other text is no name`(text: String) { #expect(BackupName(text) == nil) }

    @Test func `a delta's name holds its parent's own segment`() throws {
        let full = BackupName(segment: try #require(WALSegmentName("000000010000000000000005")))
        let first = BackupName(segment: try #require(WALSegmentName("000000010000000000000007")), parent: full)
        let second = BackupName(segment: try #require(WALSegmentName("000000020000000100000009")), parent: first)
        #expect("\(full)" == "base_000000010000000000000005")
        #expect("\(first)" == "base_000000010000000000000007_D_000000010000000000000005")
        #expect("\(second)" == "base_000000020000000100000009_D_000000010000000000000007")
        #expect(!full.isDelta && second.isDelta)
    }

    @Test(
        arguments: [
            ("base_000000010000000000000005", "000000010000000000000005"),
            ("x0000000100000000000000050", "000000010000000000000005"), ("base_x", nil), ("", nil),
            ("00000001000000000000000_000000010000000000000007", "000000010000000000000007"),
        ] as [(String, String?)])
    func `the first run of 24 digits is found`(text: String, expected: String?) {
        #expect(BackupName.firstSegmentText(in: text) == expected)
    }
}
