import Bytes
import Repository
import Testing

@Suite struct FilesMetadataReaderTests {
    private static func read(_ text: [UInt8], chunk size: Int) throws -> [FilesMetadataEntry] {
        var reader = FilesMetadataReader(object: "f")
        var entries: [FilesMetadataEntry] = []
        for start in stride(from: 0, to: text.count, by: size) {
            let chunk = Array(text[start..<min(start + size, text.count)])
            try reader.update(chunk.span.bytes) { entry in entries.append(entry) }
        }
        try reader.finish()
        return entries
    }

    @Test(arguments: [1, 7, 64, 10_000])
    func `entries come one by one whatever the chunks`(size: Int) throws {
        let text = Array(FilesMetadataWriterTests.sampleText.utf8)
        #expect(try Self.read(text, chunk: size) == FilesMetadataWriterTests.sample)
    }

    @Test func `unknown members are passed over and sections match in any case`() throws {
        let text = """
            {"x":[{"Files":{"a":1}}],"y":null,"files":{"a":{"mtime":"2026-01-01T00:00:00Z","New":[1]}},"TARFILESETS":null,
            "DatabasesByNames":{"d":{"OID":3,"tables":{"t":7}}}}
            """
        let time = ZonedTimestamp(Timestamp(seconds: 1_767_225_600))
        let expected: [FilesMetadataEntry] = [
            .file(FileDescription(path: "a", modified: time)), .database(DatabaseDescription(name: "d", oid: 3)),
        ]
        #expect(try Self.read(Array(text.utf8), chunk: 5) == expected)
    }

    @Test(arguments: [
        ("[]", "", "an object expected"), ("1", "", "an object expected"), ("null", "", "an object expected"),
        (#"{"Files":[]}"#, "Files", "an object expected"), (#"{"Files":1}"#, "Files", "an object expected"),
        (#"{"Files":{"/a":1}}"#, "Files./a", "an object expected, 1 found"),
        (#"{"Files":{"/a":{"IsSkipped":1}}}"#, "Files./a.IsSkipped", "true or false expected, 1 found"),
        (
            #"{"Files":{"/a":{"IsSkipped":true,"IsIncremented":true}}}"#, "Files./a.IsSkipped",
            "a skipped file cannot be an increment"
        ),
        (
            #"{"Files":{"/a":{"MTime":"2026-02-30T00:00:00Z"}}}"#, "Files./a.MTime",
            "a time by RFC 3339 expected, '2026-02-30T00:00:00Z' found"
        ),
        (#"{"Files":{"/a":{"Size":-1}}}"#, "Files./a.Size", "a size cannot be -1"),
        (#"{"Files":{"/a":{"CRC32C":"abc"}}}"#, "Files./a.CRC32C", "eight hexadecimal digits expected, 'abc' found"),
        (
            #"{"Files":{"/a":{"CorruptBlocks":{"SomeCorruptBlocks":[-1]}}}}"#,
            "Files./a.CorruptBlocks.SomeCorruptBlocks",
            "the number of a page expected"
        ),
        (#"{"TarFileSets":{"t":{"a":1}}}"#, "TarFileSets.t", "an array of strings expected"),
        (#"{"TarFileSets":{"t":[["a"]]}}"#, "TarFileSets.t", "an array of strings expected"),
        (#"{"TarFileSets":{"t":[1]}}"#, "TarFileSets.t", "an array of strings expected"),
        (#"{"TarFileSets":{"t":"a"}}"#, "TarFileSets.t", "an array of strings expected"),
        (
            #"{"DatabasesByNames":{"d":{"tables_new":{"t":{"oid":-1}}}}}"#, "DatabasesByNames.d.tables_new.t.oid",
            "an integer from 0 to 4294967295 expected, -1 found"
        ),
    ])
    func `a wrong value is refused with its member`(text: String, member: String, detail: String) {
        #expect(throws: RepositoryError(.damaged, object: "f", member: member, detail: detail)) {
            try Self.read(Array(text.utf8), chunk: 1000)
        }
    }

    @Test func `every prefix is refused and every flip of a bit is entries or an error`() {
        let text = Array(FilesMetadataWriterTests.sampleText.utf8)
        for count in text.indices {
            #expect(throws: RepositoryError.self) { try Self.read(Array(text[..<count]), chunk: 100) }
        }
        for index in text.indices {
            for bit in 0..<8 {
                var broken = text
                broken[index] ^= 1 << UInt8(bit)
                _ = try? Self.read(broken, chunk: 1000)
            }
        }
    }

    @Test func `in memory the last of two files with one name counts`() throws {
        let text = #"{"Files":{"/a":{"UpdatesCount":1},"/a":{"UpdatesCount":2}},"TarFileSets":{"t":["/a","/b"]}}"#
        let metadata = try FilesMetadata(parsing: Array(text.utf8), object: "f")
        #expect(metadata.files["/a"]?.updatesCount == 2)
        #expect(metadata.tarFileSets == ["t": ["/a", "/b"]])
    }
}
