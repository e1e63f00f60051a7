import Bytes
import Foundation
import Storage
import TestSupport
import Testing

@testable import Archiver

/// Two backups at once, other clusters, and servers that do not play along.
@Suite(
    .serialized, .enabled(if: BackupFaultScene.isAvailable, "needs PostgreSQL and WALS_TEST_S3_*"),
    .timeLimit(.minutes(20)))
struct BackupFaultRivalTests {
    @Test func `two backup-push of a quiet server at the same instant: one may be refused, none is mixed`() async throws
    {
        let scene = try BackupFaultScene()
        var names: [String] = []
        for round in 1...3 {
            let pushes = try [scene.start(["backup-push", scene.data]), scene.start(["backup-push", scene.data])]
            var codes: [Int] = []
            for push in pushes {
                let outcome = try await push.wait(timeout: .seconds(120))
                codes.append(outcome.exitCode)
                if outcome.exitCode == 75 {
                    #expect(outcome.errorText.contains("another backup-push of this server is under way"), "\(outcome)")
                }
            }
            #expect(codes.contains(0) && codes.allSatisfy { $0 == 0 || $0 == 75 }, "\(codes)")
            let listed = try await scene.listed()
            #expect(listed.count == names.count + codes.count { $0 == 0 }, "round \(round): \(listed)")
            names = listed
        }
        // Nothing was written in between, and each has a name of its own.
        names.append(try await scene.pushWell())
        #expect(Set(names).count == names.count)
        let left = try await scene.debris()
        #expect(left.objects == [] && left.uploads == [])
        for name in names { try await scene.verifyObjects(name) }
        for name in names.suffix(2) { try await scene.verifyRestore(name) }
    }

    @Test func `of eight hosts that want one name at once exactly one gets it`() async throws {
        var settings: [String: String?] = [:]
        for (name, value) in try ArchivePlace.s3.settings(in: "/nonexistent") { settings[name] = value }
        for number in 0..<4 {
            let name = "base_00000001000000000000000\(number)"
            let won = try await withThrowingTaskGroup(of: Bool.self) { group in
                for host in 0..<8 {
                    let store = try BackupFaultScene.store(settings)
                    group.addTask {
                        let holder = BackupLease.Holder.current(hostname: "host-\(host)")
                        return try await BackupLease.claim(name, holder: holder, store: store) != nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 1)
        }
    }

    @Test func `a primary and its standby backed up at once do not mix`() async throws {
        let scene = try BackupFaultScene()
        let standby = try Cluster(empty: "standby")
        try standby.program(
            "pg_basebackup",
            ["-h", scene.cluster.directory, "-D", standby.data, "-R", "-c", "fast", "-X", "stream"])
        try standby.configure(["unix_socket_directories = '\(standby.directory)'", "archive_mode = off"])
        try standby.start()
        var other: [String: String?] = [:]
        for (name, value) in standby.environment { other[name] = value }
        for _ in 1...2 {
            let before = try await scene.listed().count
            let pushes = try [
                scene.start(["backup-push", scene.data]), scene.start(["backup-push", standby.data], other),
            ]
            var codes: [Int] = []
            for push in pushes {
                let outcome = try await push.wait(timeout: .seconds(120))
                codes.append(outcome.exitCode)
                #expect([0, 73, 75].contains(outcome.exitCode), "\(outcome)")
            }
            #expect(codes.first == 0, "the primary can always begin elsewhere")
            #expect(try await scene.listed().count == before + codes.count { $0 == 0 })
        }
        for name in try await scene.listed() { try await scene.verifyRestore(name) }
        try standby.stop("immediate")
    }

    @Test func `a second cluster is refused in a claimed prefix, and stores nothing`()
        async throws
    {
        let scene = try BackupFaultScene()
        let backup = try await scene.pushWell()
        let second = try BackupFaultScene(prefix: scene.settings["WALG_S3_PREFIX"] ?? nil)
        let before = try await scene.store.list(prefix: "").objects
        let outcome = try await second.push()
        #expect(outcome.exitCode == 78, "\(outcome)")
        for cluster in [scene.cluster, second.cluster] {
            let identifier = try cluster.sql("SELECT system_identifier FROM pg_control_system()")
            #expect(outcome.errorText.contains(identifier), "\(outcome)")
        }
        // The directory of one server, the connection of the other.
        let mixed = try await second.start(["backup-push", scene.data]).wait()
        #expect(mixed.exitCode == 78, "\(mixed)")
        #expect(mixed.errorText.contains("is not the same as Postgres' one"), "\(mixed)")
        #expect(try await scene.store.list(prefix: "").objects == before)
        try await scene.verifyObjects(backup)
    }

    @Test func `a server that is restarted during the backup: an error, no sentinel, and the next run is fine`()
        async throws
    {
        let scene = try BackupFaultScene()
        let command = Cluster.asServerUser([
            scene.cluster.path("pg_ctl"), "-D", scene.data, "-m", "immediate", "-w", "-l", "\(scene.archive)/log",
            "restart",
        ])
        scene.proxy.setRules([
            FaultRule(
                on: 1...1,
                FaultReply.forward.changed { answer in
                    _ = try? Program.run(command)
                    return answer
                }
            ) { $0.target.contains("partNumber=1") }
        ])
        let outcome = try await scene.push()
        #expect(outcome.exitCode == 69, "\(outcome)")
        scene.proxy.setRules([])
        #expect(try await scene.listed() == [])
        let left = try await scene.debris()
        #expect(left.objects == [] && left.uploads == [])
        try await scene.verifyRestore(try await scene.pushWell())
    }

    @Test func `broken archiving is explained while it waits, and ends the backup when the time is up`() async throws {
        let scene = try BackupFaultScene(archiveCommand: "false")
        let outcome = try await scene.push(["WALG_STOP_BACKUP_TIMEOUT": "12s"])
        #expect(outcome.exitCode == 75, "\(outcome)")
        #expect(outcome.errorText.contains("Waiting for the archive"), "\(outcome)")
        #expect(outcome.errorText.contains("archive_command fails at 0000000100000000"), "\(outcome)")
        #expect(try await scene.listed() == [])
        let left = try await scene.debris()
        #expect(left.objects == [] && left.uploads == [])
        try scene.waitForNoSession()
        try scene.cluster.sql("ALTER SYSTEM SET archive_command = 'cp %p \(scene.archive)/%f'; SELECT pg_reload_conf()")
        try await scene.verifyRestore(try await scene.pushWell())
    }
}
