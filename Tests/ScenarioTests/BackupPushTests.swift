import Bytes
import Foundation
import Storage
import TestSupport
import Testing

/// `wal-s backup-push` as a program: exit codes, signals, what is left behind.
@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL server here"), .timeLimit(.minutes(4)), .serialized)
struct BackupPushTests {
    /// The program that was built beside these tests.
    private static var program: String {
        let tests = (try? FileSystem.linkTarget("/proc/self/exe")) ?? ""
        return Path.join(Path.parent(tests), "wal-s")
    }

    private func environment(_ cluster: Cluster, _ bucket: TemporaryDirectory) -> [String: String] {
        cluster.environment.merging(["WALG_FILE_PREFIX": bucket.path]) { $1 }
    }

    /// Waits until so many sessions of the program are of a kind.
    private func wait(_ cluster: Cluster, _ condition: String, count: String) throws {
        let question = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'wal-s' AND \(condition)"
        for _ in 0..<600 {
            if try cluster.sql(question) == count { return }
            usleep(50_000)
        }
        Issue.record("not \(count) sessions where \(condition)\n\(cluster.log())")
    }

    @Test func `SIGTERM while it waits for the archive ends backup mode, leaves no backup, and the next run clears up`()
        async throws
    {
        let archive = try Cluster(empty: "archive")
        let cluster = try Cluster(archiveCommand: "test -e \(archive.directory)/go && cp %p \(archive.directory)/%f")
        try cluster.start()
        let bucket = try TemporaryDirectory()
        let push = try Program.start(
            [Self.program, "backup-push", cluster.data], environment: environment(cluster, bucket))
        // pg_stop_backup until PostgreSQL 14.
        try wait(cluster, "query ~ 'backup_stop|stop_backup'", count: "1")
        push.signal(SIGTERM)
        let result = try push.wait()
        #expect(result.status == 143, "\(result.errors)")
        #expect(!result.errors.contains("Wrote backup"))
        try wait(cluster, "true", count: "0")
        let store = LocalStore(root: bucket.path)
        let left = try await store.list(prefix: "basebackups_005/").objects.map(\.key.text)
        #expect(!left.contains { $0.hasSuffix("_backup_stop_sentinel.json") })

        try Program.check(Cluster.asServerUser(["touch", archive.directory + "/go"]))
        let next = try Program.run(
            [Self.program, "backup-push", cluster.data], environment: environment(cluster, bucket))
        #expect(next.status == 0, "\(next.errors)")
        let folders = Set(try await store.list(prefix: "basebackups_005/", recursive: false).folders)
        #expect(folders.count == 1)
        #expect(!left.contains { key in folders.contains { key.hasPrefix($0) } })
        let sentinels = try await store.list(prefix: "basebackups_005/", recursive: false).objects
        #expect(sentinels.count == 1)
    }

    @Test func `what cannot be done is one line and the documented code`() throws {
        let cluster = try Cluster()
        let bucket = try TemporaryDirectory()
        func check(_ arguments: [String], _ code: Int32, _ text: String, _ changed: [String: String] = [:]) throws {
            let result = try Program.run(
                [Self.program, "backup-push"] + arguments,
                environment: environment(cluster, bucket).merging(["PGDATA": ""]) { $1 }.merging(changed) { $1 })
            #expect(result.status == code, "\(result.errors)")
            let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("ERROR") }
            #expect(errors.count == 1 && errors[0].contains(text), "\(result.errors)")
        }
        try check([cluster.data], 69, "connecting to PostgreSQL")
        try check([], 64, "PGDATA")
        try cluster.start()
        try check(["/"], 78, "is not the same as Postgres' one")
        try check([cluster.directory + "/nothing"], 78, "cannot be used: No such file")
        try check([cluster.data], 78, "WALG_PG_WAL_SIZE", ["WALG_PG_WAL_SIZE": "64"])
        try check([cluster.data], 69, "nosuchuser", ["PGUSER": "nosuchuser"])

        // libpq's order: flags, the service's entries, the environment and the file.
        let services = try bucket.write(
            Array("[right]\nhost=\(cluster.directory)\n[wrong]\nhost=/nonexistent\n".utf8), to: "services")
        let isConnected = "is not the same as Postgres' one"
        let service = ["PGSERVICEFILE": services, "PGSERVICE": "right", "PGHOST": "/nonexistent"]
        try check(["/"], 78, isConnected, service)
        try check(["/"], 69, "/nonexistent", ["PGSERVICEFILE": services, "PGSERVICE": "wrong"])
        try check(
            ["/", "--pghost", cluster.directory], 78, isConnected, service.merging(["PGSERVICE": "wrong"]) { $1 })
        try check(
            ["/", "--pgservice", "right", "--pgservicefile", services], 78, isConnected, ["PGHOST": "/nonexistent"])
        let file = try bucket.write(
            Array(#"{"PGSERVICE":"right","PGSERVICEFILE":"\#(services)","PGUSER":"postgres"}"#.utf8), to: "c.json")
        try check(["/", "--config", file], 78, isConnected, ["PGHOST": "/nonexistent", "PGUSER": ""])
        try FileSystem.removeFile(services)
        try FileSystem.removeFile(file)
        let kept = try FileSystem.names(in: bucket.path)
        #expect(kept.isEmpty)
    }
}
