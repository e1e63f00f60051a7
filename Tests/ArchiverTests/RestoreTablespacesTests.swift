import Bytes
import Repository
import Storage
import TestSupport
import Testing

@testable import Archiver

@Suite struct RestoreTablespacesTests {
    private static func space(_ name: String, _ location: String) -> TablespaceSpec.Tablespace {
        TablespaceSpec.Tablespace(name: name, location: location)
    }

    private let folder: TemporaryDirectory
    private let store = MemoryStore()

    init() throws { folder = try TemporaryDirectory() }

    @Test(arguments: [
        ([space("16390", "/mnt/a")], [space("16391", "/mnt/b")], "--restore-spec has no entry for tablespace 16390"),
        (
            [space("16390", "/mnt/a")], [space("16390", "/mnt/a"), space("16391", "/mnt/b")],
            "names tablespace 16391, which the backup does not have"
        ),
        ([space("16390", "/mnt/a")], [space("16390", "/restore/data/ts")], "are one in the other"),
        ([space("16390", "/mnt/a")], [space("16390", "/restore")], "are one in the other"),
        ([space("16390", "/mnt/a")], [space("16390", "mnt/a")], "is not an absolute path"),
        (
            [space("16390", "/mnt/a"), space("16391", "/mnt/b")],
            [space("16390", "/mnt/c"), space("16391", "/mnt/c")], "two tablespaces would share the location /mnt/c"
        ),
    ])
    func `a restore spec that does not fit is refused`(
        _ original: [TablespaceSpec.Tablespace], _ replacement: [TablespaceSpec.Tablespace], _ message: String
    ) {
        do throws(ArchiverError) {
            _ = try RestoreTablespaces.plan(
                original: original, replacement: replacement, destination: "/restore/data")
            Issue.record("not refused")
        } catch {
            #expect(error.kind == .configuration)
            #expect(error.message.contains(message), "\(error)")
        }
    }

    private func backup(_ location: String) throws -> SyntheticBackup {
        var backup = try SyntheticBackup()
        backup.tablespaces = TablespaceSpec(
            basePrefix: "/var/lib/postgresql/main", tablespaces: [Self.space("16390", location)])
        backup.parts.append([
            SyntheticBackup.directory("/pg_tblspc/16390/PG_15_202209061"),
            SyntheticBackup.file("/pg_tblspc/16390/PG_15_202209061/5/1", [1, 2, 3]),
            SyntheticBackup.directory("/pg_tblspc"),
        ])
        backup.label?[1] = SyntheticBackup.file("tablespace_map", Array("16390 \(location)\n".utf8))
        return backup
    }

    private func settings(_ spec: TablespaceSpec? = nil) -> RestoreSettings {
        var settings = RestoreSettings(destination: folder.file("data"), selection: .latest)
        settings.syncs = false
        settings.tablespaces = spec
        return settings
    }

    @Test func `files go to the location of the spec, link and map say so`() async throws {
        try await backup("/nonexistent/original").write(to: store)
        let location = folder.file("new\\place")
        let spec = TablespaceSpec(basePrefix: folder.file("data"), tablespaces: [Self.space("16390", location)])
        let outcome = try await FetchBackup(settings(spec), store: store, log: .silent).run()
        #expect(outcome.tablespaces == spec.tablespaces)
        #expect(try FileSystem.contents(location + "/PG_15_202209061/5/1") == [1, 2, 3])
        #expect(try FileSystem.linkTarget(folder.file("data/pg_tblspc/16390")) == location)
        let map = try FileSystem.contents(folder.file("data/tablespace_map"))
        #expect(try TablespaceMap.parse(map) == spec.tablespaces)
        #expect(try FileSystem.status("/nonexistent") == nil)
        #expect(try FileSystem.status(location)?.mode == 0o700)
    }

    @Test func `an original location that is empty or missing is used, and the log says so`() async throws {
        let location = folder.file("ts")
        try await backup(location).write(to: store)
        let lines = Locked<[String]>([])
        let log = Log(sink: { line in lines.withLock { $0.append(line) } })
        _ = try await FetchBackup(settings(), store: store, log: log).run()
        #expect(try FileSystem.contents(location + "/PG_15_202209061/5/1") == [1, 2, 3])
        #expect(
            lines.withLock { lines in
                lines.contains { $0.contains("tablespace 16390 is restored to its original location \(location)") }
            })
    }

    @Test func `a location that holds anything is refused with a ready spec, and nothing is touched`() async throws {
        let location = folder.file("ts")
        try folder.write([9], to: "ts/PG_15_202209061/precious")
        try await backup(location).write(to: store)
        do {
            _ = try await FetchBackup(settings(), store: store, log: .silent).run()
            Issue.record("not refused")
        } catch let error as ArchiverError {
            #expect(error.kind == .conflict)
            let json = try #require(error.message.split(separator: "\n").last)
            let spec = try TablespaceSpec(parsing: Array(json.utf8), source: "message")
            #expect(spec.basePrefix == folder.file("data"))
            #expect(spec.tablespaces == [Self.space("16390", location + "-data")])
        }
        #expect(try folder.tree() == ["ts/PG_15_202209061/precious"])
    }

    @Test func `a map that names an unknown tablespace is refused before the server could start`() async throws {
        var backup = try backup(folder.file("ts"))
        backup.label?[1] = SyntheticBackup.file("tablespace_map", Array("16399 /mnt/x\n".utf8))
        try await backup.write(to: store)
        await #expect(throws: ArchiverError.self) {
            _ = try await FetchBackup(settings(), store: store, log: .silent).run()
        }
        #expect(try FileSystem.status(folder.file("data/global/pg_control")) == nil)
    }

    @Test func `the map is read as PostgreSQL reads it`() throws {
        let spaces = [Self.space("16390", "/mnt/with space"), Self.space("16391", "/mnt/back\\slash\nline")]
        let bytes = TablespaceMap.bytes(spaces)
        #expect(String(decoding: bytes, as: UTF8.self) == "16390 /mnt/with space\n16391 /mnt/back\\\\slash\\\nline\n")
        #expect(try TablespaceMap.parse(bytes) == spaces)
        #expect(try TablespaceMap.parse([]) == [])
        for broken in ["16390 /mnt/a", "x /mnt/a\n", "16390\n", "16390 \n"] {
            #expect(throws: ArchiverError.self) { try TablespaceMap.parse(Array(broken.utf8)) }
        }
    }
}
