import Bytes
import Foundation
import Postgres
import Repository
import Server
import Storage
import Streams
import TestSupport
import Testing

@testable import Archiver

/// Backups of real servers, proven with the command-line tools of others alone.
@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL server here"), .timeLimit(.minutes(4)), .serialized)
struct PushBackupTests {
    /// A running server that archives into a directory, a store, and the lines that were logged.
    private struct Site {
        let archive: Cluster
        let cluster: Cluster
        let bucket: TemporaryDirectory
        let store: LocalStore
        let lines = Locked([String]())

        init(checksums: Bool = true, settings: [String] = []) throws {
            archive = try Cluster(empty: "archive")
            cluster = try Cluster(
                checksums: checksums, archiveCommand: "cp %p \(archive.directory)/%f", settings: settings)
            try cluster.start()
            bucket = try TemporaryDirectory()
            store = LocalStore(root: bucket.path)
        }

        var log: Log {
            let lines = lines
            return Log(level: .info, sink: { line in lines.withLock { $0.append(line) } })
        }
        func logged(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }

        func settings(_ method: CompressionMethod = .lz4) -> PushBackupSettings {
            PushBackupSettings(
                directory: cluster.data, connection: ConnectionSettings(parameters: cluster.connection),
                compression: CompressionSettings(method: method), streams: 2)
        }

        func push(_ settings: PushBackupSettings) -> PushBackup {
            PushBackup(settings, store: store, checkClaim: { _ in }, log: log)
        }

        /// Extracts all tars of a backup into `directory`, parts first, as the server's user.
        func extract(_ backup: BackupName, _ method: CompressionMethod, into directory: String) async throws {
            let tools: [CompressionMethod: String] = [
                .lz4: "lz4 -dc", .zstd: "zstd -dc", .brotli: "brotli -dc", .lzma: "xz --format=lzma -dc", .none: "cat",
            ]
            let tool = try #require(tools[method])
            let listing = try await store.list(prefix: Layout.tarFolder("\(backup)"))
            let keys = listing.objects.map(\.key)
            let last = keys.filter { !$0.name.hasPrefix("part_") }
            for key in keys.filter({ $0.name.hasPrefix("part_") }) + last {
                let tar = Cluster.asServerUser(["tar", "-x", "-p", "-C", directory]).joined(separator: " ")
                try Program.check(["bash", "-o", "pipefail", "-c", "\(tool) <'\(bucket.path)/\(key)' | \(tar)"])
            }
        }

        func verifyBackup(_ backup: BackupName, _ restored: Cluster) throws {
            let manifest = "\(restored.directory)/manifest"
            try Program.check(["cp", "\(bucket.path)/\(Layout.manifest("\(backup)"))", manifest])
            try Program.check(["chmod", "644", manifest])
            try restored.program("pg_verifybackup", ["-n", "-m", manifest, restored.data])
        }

        func files(_ backup: BackupName) throws -> [String: Any] {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(bucket.path)/\(Layout.filesMetadata("\(backup)"))"))
            return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }
    }

    private func emptyRestore() throws -> Cluster {
        let restored = try Cluster(empty: "restored")
        try Program.check(Cluster.asServerUser(["mkdir", "-m", "700", restored.data]))
        return restored
    }

    @Test func `a backup with a tablespace restores by command-line tools, recovers and has the same data`()
        async throws
    {
        let site = try Site()
        let space = try Cluster(empty: "space")
        try site.cluster.sql(
            """
            CREATE TABLESPACE elsewhere LOCATION '\(space.directory)';
            CREATE EXTENSION amcheck;
            CREATE TABLE here AS SELECT n, md5(n::text) AS text FROM generate_series(1, 20000) n;
            CREATE INDEX ON here (n);
            CREATE TABLE there (n int, text text) TABLESPACE elsewhere;
            INSERT INTO there SELECT * FROM here;
            CREATE UNLOGGED TABLE passing AS SELECT * FROM here;
            CREATE TABLE parted (n int) PARTITION BY RANGE (n);
            CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
            """)
        try site.cluster.sql("CREATE DATABASE second")
        var settings = site.settings()
        settings.tarSizeThreshold = 4 << 20
        settings.isPermanent = true
        settings.userData = .object([JSONMember("job", .string("nightly"))])
        let name = try await site.push(settings).run()
        #expect(site.logged("Started backup with name \(name) at LSN "))
        #expect(site.logged("Wrote backup with name \(name) to storage default"))
        try site.cluster.sql(
            "INSERT INTO here SELECT n, 'after' FROM generate_series(1, 100) n; SELECT pg_switch_wal()")
        // Recovery empties unlogged tables.
        try site.cluster.sql("TRUNCATE passing")
        let expected = try site.cluster.dump()
        try site.cluster.stop()

        // What is stored is what the sentinel says.
        let key = Layout.sentinel("\(name)")
        let sentinel = try Sentinel(parsing: try await site.store.get(key, limit: 1 << 20).bytes, object: key.text)
        #expect(sentinel.isPermanent && sentinel.userData == settings.userData && sentinel.tablespaces != nil)
        let integrity = try #require(sentinel.integrity)
        let listed = try await site.store.list(prefix: Layout.folder("\(name)")).objects.map(\.key.text)
        #expect(
            Set(listed)
                == Set(integrity.objects.map { Layout.folder("\(name)") + $0.name } + [Layout.metadata("\(name)").text])
        )
        for object in integrity.objects {
            let path = "\(site.bucket.path)/\(Layout.folder("\(name)"))\(object.name)"
            #expect(try Program.check(["sha256sum", path]).hasPrefix(Hex.encode(object.sha256)))
        }

        let restored = try emptyRestore()
        let moved = try Cluster(empty: "moved")
        let oid = try #require(sentinel.tablespaces?.tablespaces.first?.name)
        try Program.check(Cluster.asServerUser(["mkdir", restored.data + "/pg_tblspc"]))
        try Program.check(
            Cluster.asServerUser(["ln", "-s", moved.directory, restored.data + "/pg_tblspc/" + oid]))
        try await site.extract(name, .lz4, into: restored.data)
        try site.verifyBackup(name, restored)
        try Program.check([
            "sed", "-i", "s|\(space.directory)|\(moved.directory)|", restored.data + "/tablespace_map",
        ])
        try restored.configure([
            "unix_socket_directories = '\(restored.directory)'", "archive_mode = off",
            "restore_command = 'cp \(site.archive.directory)/%f %p'",
        ])
        try Program.check(Cluster.asServerUser(["touch", restored.data + "/recovery.signal"]))
        try restored.start()
        try restored.program("psql", ["-X", "-q", "-c", "SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote() END"])
        #expect(try restored.dump() == expected.replacing(space.directory, with: moved.directory))
        #expect(try restored.sql("SELECT count(*) FROM passing") == "0")
        // PostgreSQL 14 or later.
        if FileManager.default.isExecutableFile(atPath: restored.path("pg_amcheck")) {
            try restored.program("pg_amcheck", ["--all", "--heapallindexed"])
        }
        try restored.stop()
        try restored.program("pg_checksums", ["--check", "-D", restored.data])

        let files = try site.files(name)
        let databases = try #require(files["DatabasesByNames"] as? [String: [String: Any]])
        let tables = try #require(databases["postgres"]?["tables_new"] as? [String: [String: Any]])
        #expect((tables["public.parted"]?["subtables"] as? [String: Any])?.keys.sorted() == ["public.parted_1"])
        #expect(databases.keys.sorted() == ["postgres", "second", "template1"])
        let sets = try #require(files["TarFileSets"] as? [String: [String]])
        #expect(sets.count > 3)
        #expect(sets["backup_label.tar.lz4"] == ["tablespace_map", "backup_label"])
    }

    @Test(arguments: [CompressionMethod.brotli, .zstd, .lzma, .none])
    func `objects decode with others' tools and pass pg_verifybackup`(_ method: CompressionMethod) async throws {
        let site = try Site()
        let name = try await site.push(site.settings(method)).run()
        let restored = try emptyRestore()
        try await site.extract(name, method, into: restored.data)
        try site.verifyBackup(name, restored)
    }

    @Test func `a damaged page is reported and does not fail the backup`() async throws {
        let site = try Site()
        try site.cluster.sql(
            "CREATE TABLE spoiled AS SELECT n, md5(n::text) FROM generate_series(1, 5000) n; CHECKPOINT")
        let path = try site.cluster.sql("SELECT pg_relation_filepath('spoiled')")
        try site.cluster.stop()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(site.cluster.data)/\(path)"))
        try file.seek(toOffset: 3 * 8192 + 4000)
        file.write(Data([0xAA, 0x55, 0xAA]))
        try file.close()
        try site.cluster.start()
        let name = try await site.push(site.settings()).run()
        #expect(site.logged("page 3 of \(site.cluster.data)/\(path): checksum "))
        let files = try #require(try site.files(name)["Files"] as? [String: [String: Any]])
        let corrupt = try #require(files["/\(path)"]?["CorruptBlocks"] as? [String: Any])
        #expect(corrupt["CorruptBlocksCount"] as? Int == 1)
        #expect(corrupt["SomeCorruptBlocks"] as? [Int] == [3])
        #expect(files.values.count { $0["CorruptBlocks"] != nil } == 1)
    }

    @Test func `a second backup of the server at the same time is refused, and a taken name left alone`() async throws {
        let site = try Site()
        let settings = ConnectionSettings(parameters: site.cluster.connection)
        let other = try BackupSession(settings, log: .silent)
        #expect(try await other.takeLease() == nil)
        do {
            _ = try await site.push(site.settings()).run()
            Issue.record("made a backup beside another")
        } catch let error as ArchiverError {
            #expect(error.kind == .busy)
        }
        #expect(try await site.store.list(prefix: "").objects.isEmpty)
        await other.close()
        while try site.cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "0" {}

        let foreign: ObjectKey = "basebackups_005/base_000000010000000000000002/metadata.json"
        _ = try await site.store.put([1, 2, 3], at: foreign, .create)
        let name = try await site.push(site.settings()).run()
        #expect("\(name)" == "base_000000010000000000000003")
        #expect(try await site.store.get(foreign, limit: 100).bytes == [1, 2, 3])
        #expect(try await site.store.list(prefix: "basebackups_005/base_000000010000000000000002").objects.count == 1)
    }

    @Test func `a prefix of another cluster, and another server's directory, are refused before anything is stored`()
        async throws
    {
        let site = try Site()
        let claim = ArchiverError(.configuration, "another cluster's")
        let push = PushBackup(site.settings(), store: site.store, checkClaim: { _ in throw claim }, log: site.log)
        await #expect(throws: claim) { _ = try await push.run() }
        var settings = site.settings()
        settings.directory = site.archive.directory
        do {
            _ = try await site.push(settings).run()
            Issue.record("took another directory")
        } catch let error as ArchiverError {
            #expect(error.kind == .configuration)
            #expect(error.message.contains("is not the same as Postgres' one"))
        }
        #expect(try await site.store.list(prefix: "").objects.isEmpty)
        try site.cluster.stop()
        do {
            _ = try await site.push(site.settings()).run()
            Issue.record("backed up a server that is down")
        } catch let error as ServerError {
            #expect(error.kind == .connectionFailed)
        }
    }

    @Test func `a standby's backup recovers by its primary's archive`() async throws {
        let site = try Site()
        try site.cluster.sql("CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) n")
        let standby = try Cluster(empty: "standby")
        try standby.program(
            "pg_basebackup", ["-h", site.cluster.directory, "-D", standby.data, "-R", "-c", "fast", "-X", "stream"])
        try standby.configure(["unix_socket_directories = '\(standby.directory)'", "archive_mode = off"])
        try standby.start()
        try site.cluster.sql("INSERT INTO rows SELECT n FROM generate_series(1001, 2000) n; CHECKPOINT")
        var settings = site.settings()
        settings.directory = standby.data
        settings.connection = ConnectionSettings(parameters: standby.connection)
        let name = try await site.push(settings).run()
        #expect(site.logged("A standby that does not archive"))
        try site.cluster.sql("INSERT INTO rows SELECT n FROM generate_series(2001, 3000) n; SELECT pg_switch_wal()")
        let expected = try site.cluster.dump()
        // Stops once everything is archived.
        try site.cluster.stop()

        let restored = try emptyRestore()
        try await site.extract(name, .lz4, into: restored.data)
        try site.verifyBackup(name, restored)
        try restored.configure([
            "unix_socket_directories = '\(restored.directory)'",
            "restore_command = 'cp \(site.archive.directory)/%f %p'",
        ])
        try Program.check(Cluster.asServerUser(["touch", restored.data + "/recovery.signal"]))
        try restored.start()
        try restored.program("psql", ["-X", "-q", "-c", "SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote() END"])
        #expect(try restored.dump() == expected)
    }
}
