import Bytes
import Foundation
import Repository
import Storage
import TestSupport
import Testing

/// SIGKILL at chosen requests: nothing torn is listed, and the next run leaves no debris, objects or uploads.
@Suite(
    .serialized, .enabled(if: BackupFaultScene.isAvailable, "needs PostgreSQL and WALS_TEST_S3_*"),
    .timeLimit(.minutes(20)))
struct BackupFaultKillTests {
    /// A request, its number among its like, and whether it took effect before the kill.
    static let moments: [(method: String, text: String, occurrence: Int, after: Bool, isListed: Bool)] = [
        ("PUT", "/wals_lease.json", 1, true, false),
        ("POST", "?uploads", 1, false, false),
        ("POST", "?uploads", 1, true, false),
        ("PUT", "partNumber=2", 1, false, false),
        ("PUT", "partNumber=2", 1, true, false),
        ("POST", "?uploadId=", 1, false, false),
        ("POST", "?uploadId=", 1, true, false),
        ("PUT", "/pg_control.tar", 1, true, false),
        ("PUT", "/backup_label.tar", 1, false, false),
        ("PUT", "/files_metadata.json", 1, true, false),
        ("PUT", "_backup_stop_sentinel.json", 1, false, false),
        ("PUT", "_backup_stop_sentinel.json", 1, true, true),
        ("DELETE", "/wals_lease.json", 1, false, true),
    ]

    @Test func `backup-push killed at its requests leaves nothing torn, and the next run no debris`() async throws {
        let scene = try BackupFaultScene()
        var complete: [String] = []
        for moment in Self.moments {
            let outcome = try await scene.kill(
                ["backup-push", scene.data], at: moment.method, moment.text, occurrence: moment.occurrence,
                after: moment.after)
            #expect(outcome.exitCode == 137, "\(moment): \(outcome)")
            let listed = try await scene.listed()
            #expect(listed.count == complete.count + (moment.isListed ? 1 : 0), "\(moment)")
            complete = listed
            try scene.waitForNoSession()
        }
        let before = try await scene.debris()
        #expect(before.objects.count > 20, "\(before.objects)")
        #expect(before.uploads.count >= 4, "\(before.uploads)")

        let name = try await scene.pushWell()
        let after = try await scene.debris()
        #expect(after.objects == [] && after.uploads == [])
        #expect(try await scene.listed() == complete + [name])
        for backup in complete + [name] { try await scene.verifyRestore(backup) }
    }

    @Test func `wal-push killed at its requests: never a part of a segment, and pushed again it leaves no upload`()
        async throws
    {
        let scene = try BackupFaultScene()
        let folder = try TemporaryDirectory()
        try FileSystem.makeDirectories(folder.file("pg_wal/archive_status"))
        let moments: [(method: String, text: String, after: Bool, isStored: Bool)] = [
            ("POST", "?uploads", false, false), ("POST", "?uploads", true, false),
            ("PUT", "partNumber=2", false, false),
            ("PUT", "partNumber=4", true, false), ("POST", "?uploadId=", false, false),
            ("POST", "?uploadId=", true, true),
        ]
        let state: [String: String?] = ["WALS_STATE_DIR": folder.file("state")]
        for (number, moment) in moments.enumerated() {
            let segment = SyntheticSegment(number: UInt64(number + 1), byteCount: 16 << 20)
            let path = try folder.write(segment.bytes, to: "pg_wal/\(segment.name)")
            let outcome = try await scene.kill(
                ["wal-push", path], at: moment.method, moment.text, after: moment.after, state)
            #expect(outcome.exitCode == 137, "\(moment): \(outcome)")
            let key = ObjectKey("wal_005/" + segment.name)
            #expect(try await scene.store.info(key)?.byteCount == (moment.isStored ? 16 << 20 : nil), "\(moment)")
            let again = try await scene.start(["wal-push", path], state).wait()
            #expect(again.exitCode == 0, "\(moment): \(again)")
            let isSame = try await scene.store.get(key, limit: 16 << 20).bytes == segment.bytes
            #expect(isSame, "\(moment)")
            #expect(try await scene.store.unfinishedUploads(prefix: "") == [], "\(moment)")
        }
    }

    @Test func `backup-fetch killed in the middle: no server starts on it, and a fresh directory takes the next`()
        async throws
    {
        let scene = try BackupFaultScene()
        let backup = try await scene.pushWell()
        var refused = 0
        for (text, after) in [("/part_001.tar", false), ("/part_002.tar", false), ("/pg_control.tar", false)] {
            let broken = try Cluster(empty: "broken")
            let outcome = try await scene.kill(
                ["backup-fetch", broken.data, "LATEST"], at: "GET", text, after: after, asServerUser: true)
            #expect(outcome.exitCode == 137, "\(outcome)")
            #expect(throws: Program.Failure.self, "a server started on half a restore") { try broken.start() }
            let isEmpty = ((try? FileSystem.names(in: broken.data)) ?? []).isEmpty
            if !isEmpty { refused += 1 }
            let second = try await scene.start(["backup-fetch", broken.data, "LATEST"], asServerUser: true).wait()
            if isEmpty {
                #expect(second.exitCode == 0, "\(second)")
                try scene.verifyRestored(broken, backup)
            } else {
                #expect(second.exitCode == 73 && second.errorText.contains("did not end"), "\(second)")
            }
        }
        #expect(refused > 0)
        try await scene.verifyRestore(backup)
    }

    @Test func `SIGTERM in the middle of an upload ends it in order and leaves neither objects nor uploads`()
        async throws
    {
        let scene = try BackupFaultScene()
        let victim = Locked<ChildProcess?>(nil)
        scene.proxy.setRules([
            FaultRule(
                on: 1...1,
                FaultReply.forward.changed {
                    victim.withLock { $0?.signal(SIGTERM) }; return $0
                }
            ) {
                $0.target.contains("partNumber=2")
            }
        ])
        let process = try scene.start(["backup-push", scene.data])
        victim.withLock { $0 = process }
        let outcome = try await process.wait()
        #expect(outcome.exitCode == 143, "\(outcome)")
        try scene.waitForNoSession()
        let left = try await scene.debris()
        #expect(left.objects == [] && left.uploads == [], "\(outcome)")
        #expect(try await scene.listed() == [])
        try await scene.pushWell()
    }
}
