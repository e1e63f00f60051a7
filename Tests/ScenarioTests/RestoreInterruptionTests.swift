import Archiver
import Bytes
import Glibc
import Storage
import TestSupport
import Testing

/// A restore that is ended at any instant leaves nothing that a server would start on.
@Suite(.serialized, .enabled(if: RestoredCluster.bin(15) != nil, "needs PostgreSQL 15"))
struct RestoreInterruptionTests {
    struct Crash: Error {}

    static func expectRefusedStart(_ cluster: RestoredCluster, withSignalFile: Bool) async throws {
        try await cluster.own(cluster.folder.path)
        let started = try await cluster.start(
            restoreCommand: withSignalFile ? "false" : nil, [])
        #expect(started.exitCode != 0, "the server started on half a restore")
        if started.exitCode == 0 { try await cluster.stop() }
    }

    static func expectSecondFetchRefused(_ settings: RestoreSettings, _ store: any ObjectStore) async throws {
        do {
            _ = try await FetchBackup(settings, store: store, log: .silent).run()
            Issue.record("the second fetch was not refused")
        } catch let error as ArchiverError {
            #expect(error.kind == .conflict)
            #expect(error.message.contains("holds a backup-fetch that did not end"), "\(error)")
        }
    }

    @Test(arguments: [RestoreStep.prepared, .partsWritten, .labelWritten, .synced])
    func `ended between two steps, the server refuses and a second fetch says what to do`(
        _ crash: RestoreStep
    ) async throws {
        let bucket = try FixtureBucket("small-brotli")
        let store = LocalStore(root: bucket.path)
        let cluster = try await RestoredCluster(version: 15)
        let settings = RestoreSettings(destination: cluster.data, selection: .latest)
        await #expect(throws: Crash.self) {
            _ = try await FetchBackup(
                settings, store: store, log: .silent, step: { if $0 == crash { throw Crash() } }
            ).run()
        }
        try await Self.expectSecondFetchRefused(settings, store)
        try await Self.expectRefusedStart(cluster, withSignalFile: false)
        try await Self.expectRefusedStart(cluster, withSignalFile: true)
    }

    @Test func `ended after the control file, the server starts: all was there`() async throws {
        let bucket = try FixtureBucket("small-brotli")
        let cluster = try await RestoredCluster(version: 15)
        let settings = RestoreSettings(destination: cluster.data, selection: .latest)
        await #expect(throws: Crash.self) {
            _ = try await FetchBackup(
                settings, store: LocalStore(root: bucket.path), log: .silent,
                step: { if $0 == .controlWritten { throw Crash() } }
            ).run()
        }
        let command = try await cluster.shellRestoreCommand(bucket)
        let started = try await cluster.start(restoreCommand: command, [("recovery_target", "immediate")])
        #expect(started.exitCode == 0, "\(cluster.log)")
        try await cluster.waitForPromotion()
        #expect(try await cluster.sql("select count(*) from t_static") == "1500")
        try await cluster.stop()
    }

    @Test(arguments: [1, 40, 150, 300, 380])
    func `killed by SIGKILL with so many files written, the server refuses`(_ files: Int) async throws {
        let bucket = try FixtureBucket("small-brotli")
        let cluster = try await RestoredCluster(version: 15)
        let process = try ChildProcess(
            [try BuiltBinary.path(), "backup-fetch", cluster.data, "LATEST"],
            environment: ["WALG_FILE_PREFIX": bucket.path, "WALG_DOWNLOAD_CONCURRENCY": "1"])
        while process.isRunning, Self.count(cluster.data) < files { sched_yield() }
        process.signal(SIGKILL)
        let outcome = try await process.wait()
        let isWhole = (try FileSystem.status(cluster.data + "/global/pg_control")) != nil
        // The kill may come too late on a busy machine; then there is nothing to see here.
        guard outcome.exitCode != 0, !isWhole else { return }
        let settings = RestoreSettings(destination: cluster.data, selection: .latest)
        try await Self.expectSecondFetchRefused(settings, LocalStore(root: bucket.path))
        try await Self.expectRefusedStart(cluster, withSignalFile: false)
        try await Self.expectRefusedStart(cluster, withSignalFile: true)
    }

    private static func count(_ folder: String) -> Int {
        let names = (try? FileSystem.names(in: folder)) ?? []
        let database = (try? FileSystem.names(in: folder + "/base/5")) ?? []
        let global = (try? FileSystem.names(in: folder + "/global")) ?? []
        return names.count + database.count + global.count
    }
}
