import Bytes
import TestSupport
import Testing

@testable import Postgres

/// Segments that servers archived: each must be good.
@Suite struct RealWALTests {
    @Test(
        .enabled(if: !Servers.all.isEmpty, "no PostgreSQL here"), .timeLimit(.minutes(10)),
        arguments: Servers.all, [1, 16])
    func `whatever a server archives is good, over crashes, promotion and long records`(
        server: Server, mebibytes: Int
    ) async throws {
        try await server.withScratch { folder in
            let script = try readFile(Path.join(SharedMaterial.packageRoot, "Tests/PostgresTests/Scripts/make-wal"))
            try await server.run(
                ["bash", "-c", String(decoding: script, as: UTF8.self), "make-wal", server.bin, folder, "\(mebibytes)"])
            let size = try #require(WALSegmentSize(byteCount: mebibytes << 20))
            var records = 0
            var kinds: Set<String> = []
            for archive in ["archive", "standby-archive"] {
                for file in try FileSystem.names(in: "\(folder)/\(archive)") {
                    let name = try #require(WALFileName(file))
                    let bytes = try readFile("\(folder)/\(archive)/\(file)")
                    switch name {
                    case .segment(let segment):
                        let verifier = try verify(bytes, segment, size)
                        // pg_waldump fails at a record that goes on in the next segment; what it printed counts.
                        let dump = try await Shell.run(["\(server.bin)/pg_waldump", "\(folder)/\(archive)/\(file)"])
                        #expect(verifier.recordCount == dump.text.split(separator: "\n").count, "\(file)")
                        records += verifier.recordCount
                        kinds.insert("segment of timeline \(segment.timeline)")
                    case .partial(let segment):
                        try verify(bytes, segment, size, isPartial: true)
                        kinds.insert("partial")
                    case .history(let timeline):
                        #expect(try TimelineHistory(parsing: bytes, timeline: timeline).entries.count == 1)
                        kinds.insert("history")
                    case .backupHistory(let segment, let offset):
                        let label = try BackupLabel(parsing: bytes, subject: file)
                        #expect(label.startSegment == segment)
                        #expect(UInt32(label.start.rawValue % UInt64(size.byteCount)) == offset)
                        kinds.insert("backup history")
                    }
                }
            }
            #expect(records > 5000)
            #expect(
                kinds.isSuperset(of: ["segment of timeline 1", "segment of timeline 2", "history", "backup history"]))
        }
    }

    @Test(
        .enabled(if: SharedMaterial.has("fixtures/walg"), "needs ../shared/fixtures/walg"), .timeLimit(.minutes(10)))
    func `every segment that WAL-G archived is good`() async throws {
        let decoders = [
            "lz4": ["lz4", "-dqc"], "zst": ["zstd", "-dqc"], "br": ["brotli", "-dc"],
            "lzma": ["xz", "-dqc", "--format=lzma"],
        ]
        let fixtures = try #require(SharedMaterial.path("fixtures/walg"))
        var versions: Set<Int> = []
        var segments = 0
        for fixture in try FileSystem.names(in: fixtures) where !fixture.hasPrefix("enc-") {
            let folder = "\(fixtures)/\(fixture)/bucket/wal_005"
            guard (try? FileSystem.status(folder)) ?? nil != nil else { continue }
            for object in try FileSystem.names(in: folder) {
                let dot = object.lastIndex(of: ".")
                let decoder = dot.flatMap { decoders[String(object[object.index(after: $0)...])] }
                let stem = decoder == nil ? object : String(object[..<(dot ?? object.endIndex)])
                let name: WALSegmentName
                var isPartial = false
                switch WALFileName(stem) {
                case .segment(let segment): name = segment
                case .partial(let segment): (name, isPartial) = (segment, true)
                default: continue
                }
                var bytes: [UInt8]
                if let decoder {
                    guard TestEnvironment.hasProgram(decoder[0]) else { continue }
                    let outcome = try await Shell.run(decoder + ["\(folder)/\(object)"])
                    try #require(outcome.exitCode == 0, "\(outcome.errorText)")
                    bytes = outcome.output
                } else {
                    bytes = try readFile("\(folder)/\(object)")
                }
                let size = try #require(WALSegmentSize(byteCount: bytes.count))
                let verifier = try verify(bytes, name, size, isPartial: isPartial)
                versions.insert(verifier.header?.majorVersion ?? 0)
                segments += 1
            }
        }
        #expect(segments > 100)
        #expect(versions.isSuperset(of: [13, 15, 17, 18]))
    }
}
