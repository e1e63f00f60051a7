import Archiver
import Bytes
import Repository
import Storage
import TestSupport
import Testing

/// Full backups that WAL-G made, restored and recovered on a real server.
@Suite(.serialized) struct RestoreFixtureTests {
    /// Cases whose server is here, encrypted fixtures aside.
    static let cases: [FixtureBucket.Case] = FixtureBucket.all
        .filter { !$0.hasPrefix("enc-") && RestoredCluster.bin(FixtureBucket.postgresVersion($0)) != nil }
        .flatMap { FixtureBucket.cases($0) }

    static func name(_ test: FixtureBucket.Case) -> String {
        guard test.backup == "LATEST" else { return test.backup }
        let backups = (try? FixtureBucket.expected(test.fixture).member("backups")?.array) ?? nil
        return backups?.last?.string ?? ""
    }

    static let fulls = cases.filter { !name($0).contains("_D_") }
    static let deltas = cases.filter { name($0).contains("_D_") }

    static func settings(
        _ test: FixtureBucket.Case, _ cluster: RestoredCluster, _ store: any ObjectStore
    ) async throws -> RestoreSettings {
        let selection: BackupSelection =
            if let userData = test.userData {
                .userData(try JSONValue.parse(Array(userData.utf8)))
            } else {
                test.backup == "LATEST" ? .latest : .name(test.backup)
            }
        var settings = RestoreSettings(destination: cluster.data, selection: selection)
        settings.syncs = false
        let key = Layout.sentinel(name(test))
        let sentinel = try Sentinel(parsing: try await store.get(key, limit: 1 << 20).bytes, object: key.text)
        if let original = sentinel.tablespaces {
            settings.tablespaces = TablespaceSpec(
                basePrefix: cluster.data,
                tablespaces: original.tablespaces.map { tablespace in
                    TablespaceSpec.Tablespace(
                        name: tablespace.name, location: cluster.folder.file("ts-\(tablespace.name)"))
                })
        }
        return settings
    }

    @Test(arguments: fulls)
    func `a full backup of WAL-G recovers to the recorded state`(_ test: FixtureBucket.Case) async throws {
        let bucket = try FixtureBucket(test.fixture)
        let store = LocalStore(root: bucket.path)
        let cluster = try await RestoredCluster(version: FixtureBucket.postgresVersion(test.fixture))
        let outcome = try await FetchBackup(
            try await Self.settings(test, cluster, store), store: store, log: .silent
        ).run()
        #expect(outcome.backup == Self.name(test))
        if let directory = test.neededDirectory {
            try FileSystem.makeDirectories(directory, mode: 0o755)
            try await cluster.own(directory)
        }
        let started = try await cluster.start(
            restoreCommand: try await cluster.shellRestoreCommand(bucket), test.recovery)
        #expect(started.exitCode == 0, "\(started)\n\(cluster.log)")
        try await cluster.waitForPromotion()
        for check in test.checks {
            let result = try await cluster.sql(check.sql, database: check.database)
            #expect(result == check.result, "\(check.sql)")
        }
        if let digest = test.dumpDigest { #expect(try await cluster.dumpDigest() == digest) }
        try await cluster.stop()
        let checksums = try await cluster.run([cluster.bin + "/pg_checksums", "-D", cluster.data, "--check"])
        #expect(checksums.exitCode == 0, "\(checksums)")
    }

    @Test(arguments: deltas)
    func `a delta is refused before anything is written`(_ test: FixtureBucket.Case) async throws {
        let bucket = try FixtureBucket(test.fixture)
        let folder = try TemporaryDirectory()
        let store = LocalStore(root: bucket.path)
        let settings = RestoreSettings(
            destination: folder.file("data"), selection: test.backup == "LATEST" ? .latest : .name(test.backup))
        do {
            _ = try await FetchBackup(settings, store: store, log: .silent).run()
            Issue.record("a delta was restored")
        } catch let error as ArchiverError {
            #expect(error.kind == .configuration)
            #expect(error.message.hasPrefix("\(Self.name(test)) is a delta: it needs base_"))
        }
        #expect(try folder.tree() == [])
    }
}
