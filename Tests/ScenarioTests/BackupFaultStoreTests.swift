import Bytes
import Dispatch
import Foundation
import Storage
import TestSupport
import Testing

/// The store answers badly while a backup is pushed or fetched.
@Suite(
    .serialized, .enabled(if: BackupFaultScene.isAvailable, "needs PostgreSQL and WALS_TEST_S3_*"),
    .timeLimit(.minutes(20)))
struct BackupFaultStoreTests {
    typealias Answer = TestSupport.HTTPResponse

    private static func refusal(_ status: Int, _ code: String) -> FaultReply { .answer(.s3Error(status, code: code)) }

    @Test func `faults that pass do not fail backup-push`() async throws {
        let scene = try BackupFaultScene()
        let cases: [(String, [FaultRule])] = [
            ("503 three times", [FaultRule(containing: "/part_001", on: 1...3, Self.refusal(503, "SlowDown"))]),
            (
                "500 three times",
                [FaultRule("PUT", containing: "partNumber=2", on: 1...3, Self.refusal(500, "InternalError"))]
            ),
            (
                "reset, lost replies",
                [
                    FaultRule("PUT", containing: "partNumber=1", on: 1...1, .nothing(.reset)),
                    FaultRule("POST", containing: "?uploadId=", on: 1...1, .forward.lost(.reset)),
                    FaultRule("PUT", containing: "_backup_stop_sentinel.json", on: 1...1, .forward.lost(.close)),
                    FaultRule("PUT", containing: "/wals_lease.json", on: 1...1, .forward.lost(.reset)),
                ]
            ),
            (
                "a begun upload's reply lost",
                [FaultRule("POST", containing: "?uploads", on: 1...1, .forward.lost(.reset))]
            ),
        ]
        for (what, rules) in cases {
            scene.proxy.setRules(rules)
            let name = try await scene.pushWell()
            try await scene.verifyObjects(name)
            let left = try await scene.debris()
            #expect(left.objects == [] && left.uploads == [], "\(what)")
        }
        scene.proxy.setRules([])
        try await scene.verifyRestore(try #require(try await scene.listed().last))
    }

    @Test func `faults that stay end backup-push with their code, backup mode, and leave nothing`() async throws {
        let scene = try BackupFaultScene()
        let cases: [(rule: FaultRule, code: Int, text: String)] = [
            (FaultRule("PUT", containing: "/part_001", Self.refusal(403, "AccessDenied")), 77, "AccessDenied"),
            (FaultRule("PUT", containing: "partNumber=2", Self.refusal(403, "AccessDenied")), 77, "AccessDenied"),
            (FaultRule(containing: "/basebackups_005/", Self.refusal(403, "AccessDenied")), 77, "HTTP 403"),
            (FaultRule("PUT", containing: "_sentinel.json", Self.refusal(403, "AccessDenied")), 77, "AccessDenied"),
            (FaultRule("PUT", containing: "partNumber=2", Self.refusal(403, "QuotaExceeded")), 1, "QuotaExceeded"),
            (FaultRule("PUT", containing: "/part_001", Self.refusal(500, "InternalError")), 69, "InternalError"),
            (FaultRule("PUT", containing: "partNumber=2", .nothing(.hang)), 69, "part_001.tar"),
        ]
        for (rule, code, text) in cases {
            scene.proxy.setRules([rule])
            let outcome = try await scene.push(["S3_MAX_RETRIES": "1"])
            #expect(outcome.exitCode == code && outcome.errorText.contains(text), "\(outcome)")
            #expect(!outcome.errorText.contains("Wrote backup"))
            try scene.waitForNoSession()
            #expect(try await scene.listed() == [])
            let left = try await scene.debris()
            #expect(left.objects == [] && left.uploads == [], "\(outcome)")
        }
        scene.proxy.setRules([])
        try await scene.pushWell()
    }

    @Test func `a failed run whose name another run has taken removes nothing`() async throws {
        let scene = try BackupFaultScene()
        let store = scene.store
        let taken = Locked<ObjectKey?>(nil)
        scene.proxy.setRules([
            FaultRule(Self.refusal(403, "AccessDenied")) { request in
                guard request.method == "PUT", request.target.contains("partNumber=2") else { return false }
                // The proxy's connections have threads of their own, which may wait.
                let done = DispatchSemaphore(value: 0)
                Task {
                    defer { done.signal() }
                    let objects = try await store.list(prefix: "basebackups_005/").objects
                    let mark = objects.first { $0.key.text.hasSuffix(BackupFaultScene.markName) }
                    guard let mark, taken.withLock({ $0 == nil }) else { return }
                    taken.withLock { $0 = mark.key }
                    _ = try await store.put(Array("{}".utf8), at: mark.key, .replace)
                }
                done.wait()
                return true
            }
        ])
        let outcome = try await scene.push()
        #expect(outcome.exitCode == 77 && outcome.errorText.contains("stay until the next"), "\(outcome)")
        let mark = try #require(taken.withLock { $0 })
        #expect(try await scene.store.get(mark, limit: 100).bytes == Array("{}".utf8))
        #expect(try await scene.listed() == [])
    }

    @Test func `backup-fetch gets over faults that pass, and names those that stay`() async throws {
        let scene = try BackupFaultScene()
        let backup = try await scene.pushWell()
        scene.proxy.setRules([
            FaultRule("GET", containing: "/part_001.tar", on: 1...1, .forward.cut(afterBody: 300_000, .close)),
            FaultRule("GET", containing: "/part_001.tar", on: 2...2, .forward.cut(afterBody: 300_000, .reset)),
            FaultRule("GET", containing: "/part_002.tar", on: 1...3, Self.refusal(500, "InternalError")),
            FaultRule("GET", containing: "/pg_control.tar", on: 1...3, Self.refusal(503, "SlowDown")),
            FaultRule("GET", containing: "_sentinel.json", on: 1...1, .nothing(.reset)),
        ])
        try await scene.verifyRestore(backup)

        let cases: [(rule: FaultRule, code: Int, text: String)] = [
            (FaultRule(containing: "/part_002.tar", Self.refusal(403, "AccessDenied")), 77, "part_002.tar"),
            (FaultRule(containing: "/part_002.tar", Self.refusal(404, "NoSuchKey")), 1, "part_002.tar"),
            (FaultRule(containing: "_sentinel.json", Self.refusal(403, "AccessDenied")), 77, "_sentinel.json"),
            (FaultRule(containing: "/part_002.tar", Self.refusal(500, "InternalError")), 69, "part_002.tar"),
            (
                FaultRule("GET", containing: "/part_002.tar", .forward.cut(afterBody: 0, .close)), 69, "part_002.tar"
            ),
        ]
        for (rule, code, text) in cases {
            scene.proxy.setRules([rule])
            let broken = try Cluster(empty: "broken")
            let outcome = try await scene.start(
                ["backup-fetch", broken.data, "LATEST"],
                ["S3_MAX_RETRIES": "1", "WALG_DOWNLOAD_FILE_RETRIES": "1"], asServerUser: true
            ).wait(timeout: .seconds(120))
            #expect(outcome.exitCode == code && outcome.errorText.contains(text), "\(outcome)")
            #expect(throws: Program.Failure.self, "a server started on half a restore") { try broken.start() }
        }
        scene.proxy.setRules([])
        let missing = try #require(
            try await scene.store.list(prefix: "basebackups_005/\(backup)/tar_partitions/part_002").objects.first)
        _ = try await scene.store.delete([missing.key])
        let broken = try Cluster(empty: "broken")
        let outcome = try await scene.start(["backup-fetch", broken.data, "LATEST"], asServerUser: true).wait()
        #expect(outcome.exitCode == 2 && outcome.errorText.contains("part_002.tar"), "\(outcome)")
        #expect(((try? FileSystem.names(in: broken.data)) ?? []).isEmpty)
    }
}
