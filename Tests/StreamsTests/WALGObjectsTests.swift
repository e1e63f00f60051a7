import Foundation
import Streams
import TestSupport
import Testing

/// Every object of the golden buckets that WAL-G itself made, of which none is encrypted.
@Suite struct WALGObjectsTests {
    private static let root = URL(fileURLWithPath: SharedMaterial.path("fixtures/walg") ?? "/nowhere")

    static let buckets: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.filter {
            !$0.hasPrefix("enc-") && FileManager.default.fileExists(atPath: root.path + "/" + $0 + "/bucket")
        }.sorted()
    }()

    private func objects(below folder: URL) -> [URL] {
        let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        // WAL-G's file storage leaves such names when it is killed, and hides them.
        return (walk?.allObjects as? [URL] ?? []).filter {
            !$0.lastPathComponent.contains(".tmp.")
                && (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
        }
    }

    private func format(of object: URL) throws -> StoredFormat {
        try #require(StoredFormat.ofObject(named: object.lastPathComponent), "\(object.lastPathComponent)")
    }

    @Test(.enabled(if: !buckets.isEmpty, "no golden buckets beside the package"), arguments: buckets)
    func `segments are whole`(bucket: String) throws {
        let folder = Self.root.appendingPathComponent("\(bucket)/bucket/wal_005")
        var sizes: Set<Int> = []
        for object in objects(below: folder) where object.pathExtension != "json" {
            let decompressor = try Decompressor(try format(of: object))
            let bytes = [UInt8](try Data(contentsOf: object))
            try Samples.forEachChunk(of: bytes, 100_000) { try decompressor.update($0) { (_) throws(StreamError) in } }
            try decompressor.finish()
            #expect(decompressor.consumed == bytes.count)
            let name = object.lastPathComponent.prefix { $0 != "." }
            if name.count == 24, !object.lastPathComponent.contains(".backup") { sizes.insert(decompressor.produced) }
        }
        #expect(sizes.count <= 1, "segments of one cluster are of one size: \(sizes)")
        #expect(sizes.isSubset(of: [1 << 20, 16 << 20]))
    }

    private func entries(of object: URL, end: TarReader.EndRule) throws -> [TarEntry] {
        let decompressor = try Decompressor(try format(of: object))
        let reader = TarReader(end: end)
        var entries: [TarEntry] = []
        var bodyBytes = 0
        let bytes = [UInt8](try Data(contentsOf: object))
        try Samples.forEachChunk(of: bytes, 100_000) {
            try decompressor.forward($0) { span in
                try reader.update(span) { event in
                    switch event {
                    case .entry(let entry): entries.append(entry)
                    case .body(let body): bodyBytes += body.byteCount
                    case .endOfEntry: break
                    }
                }
            }
        }
        try decompressor.finish()
        try reader.finish()
        #expect(bodyBytes == entries.reduce(0) { $0 + $1.byteCount })
        return entries
    }

    @Test(.enabled(if: !buckets.isEmpty, "no golden buckets beside the package"), arguments: buckets)
    func `parts are whole and hold what the files metadata says`(bucket: String) throws {
        let folder = Self.root.appendingPathComponent("\(bucket)/bucket/basebackups_005")
        let all = objects(below: folder)
        let parts = all.filter { $0.deletingLastPathComponent().lastPathComponent == "tar_partitions" }
        #expect(!parts.isEmpty)
        var paths: [String: Set<String>] = [:]
        for part in parts {
            let backup = part.deletingLastPathComponent().deletingLastPathComponent().path
            let entries = try entries(of: part, end: bucket == "remote" ? .optional : .required)
            #expect(!entries.isEmpty)
            paths[backup, default: []].formUnion(entries.map(\.path))
        }
        for object in all where object.lastPathComponent == "files_metadata.json" {
            let json = try JSONSerialization.jsonObject(with: Data(contentsOf: object)) as? [String: Any]
            guard let files = json?["Files"] as? [String: [String: Any]], !files.isEmpty else { continue }
            let stored = files.filter { $0.value["IsSkipped"] as? Bool != true }.keys
            let found = paths[object.deletingLastPathComponent().path] ?? []
            #expect(Set(stored).subtracting(found) == [], "\(bucket)")
            let others: Set = ["/global/pg_control", "global/pg_control", "backup_label", "tablespace_map"]
            // The remote mode keeps the server's names of directories, with a slash, and does not list them.
            let unlisted = found.subtracting(stored).filter { bucket != "remote" || !$0.hasSuffix("/") }
            #expect(unlisted.subtracting(others) == [], "\(bucket)")
        }
    }
}
