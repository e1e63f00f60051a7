import Bytes
import Repository
import TestSupport
import Testing

/// Every document that WAL-G left in the fixtures.
@Suite struct FixtureTests {
    private static func documents(_ suffix: String) -> [String] {
        guard let root = SharedMaterial.path("fixtures/walg"), let fixtures = try? FileSystem.names(in: root) else {
            return []
        }
        var found: [String] = []
        func visit(_ folder: String) {
            for name in (try? FileSystem.names(in: folder)) ?? [] {
                let path = Path.join(folder, name)
                if (try? FileSystem.linkStatus(path))??.kind == .directory { visit(path) }
                if path.hasSuffix(suffix) { found.append(path) }
            }
        }
        for fixture in fixtures { visit(Path.join(root, "\(fixture)/bucket/basebackups_005")) }
        return found
    }

    @Test(.enabled(if: SharedMaterial.has("fixtures/walg"), "needs ../shared/fixtures/walg"))
    func `every sentinel is read, and written again byte for byte`() throws {
        let paths = Self.documents("_backup_stop_sentinel.json")
        #expect(paths.count > 50)
        for path in paths {
            let bytes = try FileSystem.contents(path)
            let sentinel = try Sentinel(parsing: bytes, object: path)
            #expect(sentinel.version == 2)
            #expect(sentinel.encoded() == bytes, "\(path)")
        }
    }

    @Test(.enabled(if: SharedMaterial.has("fixtures/walg"), "needs ../shared/fixtures/walg"))
    func `every metadata document is read, and written again byte for byte`() throws {
        let paths = Self.documents("/metadata.json")
        #expect(paths.count > 50)
        for path in paths {
            let bytes = try FileSystem.contents(path)
            #expect(try BackupMetadata(parsing: bytes, object: path).encoded() == bytes, "\(path)")
        }
    }

    @Test(.enabled(if: SharedMaterial.has("fixtures/walg"), "needs ../shared/fixtures/walg"))
    func `every files metadata is read and written again byte for byte, in chunks`() throws {
        let paths = Self.documents("/files_metadata.json")
        #expect(paths.count > 40)
        for path in paths {
            let bytes = try FileSystem.contents(path)
            var reader = FilesMetadataReader(object: path)
            var entries: [FilesMetadataEntry] = []
            for start in stride(from: 0, to: bytes.count, by: 10_007) {
                let chunk = Array(bytes[start..<min(start + 10_007, bytes.count)])
                try reader.update(chunk.span.bytes) { entry in entries.append(entry) }
            }
            try reader.finish()
            #expect(reader.fileCount > 300)
            #expect(FilesMetadataWriterTests.written(entries) == bytes, "\(path)")
        }
    }
}
