import Bytes
import Repository
import Testing

@Suite struct FilesMetadataWriterTests {
    /// The document of what a reader found, in the same order.
    static func written(_ entries: [FilesMetadataEntry], chunkSize: Int = 65536) -> [UInt8] {
        var writer = FilesMetadataWriter(chunkSize: chunkSize)
        var bytes: [UInt8] = []
        let emit: (RawSpan) -> Void = { span in span.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        var index = 0
        while index < entries.count {
            switch entries[index] {
            case .file(let file): writer.add(file, emit)
            case .database(let database): writer.add(database, emit)
            case .tarMember: break
            case .tar(let name):
                var members: [String] = []
                while index + 1 < entries.count, case .tarMember(let path, _) = entries[index + 1] {
                    members.append(path)
                    index += 1
                }
                writer.addTar(name, members: members, emit)
            }
            index += 1
        }
        writer.finish(emit)
        return bytes
    }

    static let sample: [FilesMetadataEntry] = {
        let time = ZonedTimestamp(Timestamp(seconds: 1_787_335_350, nanoseconds: 123_456_789), offset: 7200)
        var increment = FileDescription(path: "/base/5/1259", modified: time)
        increment.isIncremented = true
        increment.byteCount = 16408
        increment.crc32c = 0x00AB_CDEF
        increment.corruptPages = .init(count: 12, pages: [3, 4])
        increment.updatesCount = 9
        var skipped = FileDescription(path: "/base/5/a<b>", modified: ZonedTimestamp(Timestamp(seconds: 0)))
        skipped.isSkipped = true
        let child = DatabaseDescription.Table(name: "public.p1", oid: 17, fileNode: 17)
        let parent = DatabaseDescription.Table(name: "public.p", oid: 16, fileNode: 0, subtables: [child])
        return [
            .file(increment), .file(skipped), .tar("part_001.tar.lz4"),
            .tarMember(path: "/base/5/1259", tar: "part_001.tar.lz4"), .tar("part_002.tar.lz4"),
            .database(.init(name: "postgres", oid: 5, tables: [parent])),
        ]
    }()

    static let sampleText =
        #"{"Files":{"/base/5/1259":{"IsIncremented":true,"IsSkipped":false,"MTime":"2026-08-21T20:02:30.123456789+02:00","#
        + #""CorruptBlocks":{"CorruptBlocksCount":12,"SomeCorruptBlocks":[3,4]},"UpdatesCount":9,"Size":16408,"#
        + #""CRC32C":"00abcdef"},"/base/5/a<b>":{"IsIncremented":false,"IsSkipped":true,"MTime":"1970-01-01T00:00:00Z","#
        + #""UpdatesCount":0}},"TarFileSets":{"part_001.tar.lz4":["/base/5/1259"],"part_002.tar.lz4":[]},"#
        + #""DatabasesByNames":{"postgres":{"oid":5,"tables_new":{"public.p":{"oid":16,"relfilenode":0,"#
        + #""subtables":{"public.p1":{"oid":17,"relfilenode":17}}}}}}}"#

    @Test(arguments: [1, 100, 65536])
    func `the document has WAL-G's members in its order, and ours at the end of a file`(chunkSize: Int) {
        #expect(String(decoding: Self.written(Self.sample, chunkSize: chunkSize), as: UTF8.self) == Self.sampleText)
    }

    @Test func `sections without entries are left out`() {
        #expect(Self.written([]) == Array("{}".utf8))
        let tar: [FilesMetadataEntry] = [.tar("a"), .tarMember(path: "/", tar: "a")]
        #expect(Self.written(tar) == Array(#"{"TarFileSets":{"a":["/"]}}"#.utf8))
    }
}
