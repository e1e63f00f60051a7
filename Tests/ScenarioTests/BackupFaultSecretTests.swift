import Bytes
import Foundation
import Storage
import TestSupport
import Testing

/// No secret in any output or command line, however talkative the program is told to be.
@Suite(
    .serialized, .enabled(if: BackupFaultScene.isAvailable, "needs PostgreSQL and WALS_TEST_S3_*"),
    .timeLimit(.minutes(20)))
struct BackupFaultSecretTests {
    private static let talkative: [String: String?] = [
        "WALG_LOG_LEVEL": "DEVEL", "S3_LOG_LEVEL": "DEVEL", "PGPASSWORD": "password-for-nobody",
    ]

    private static func commandLines() -> [String] {
        let names = (try? FileSystem.names(in: "/proc")) ?? []
        return names.filter { Int($0) != nil }.compactMap { name in
            (try? FileSystem.contents("/proc/\(name)/cmdline", limit: 1 << 20)).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    @Test func `neither in what is written nor in command lines`() async throws {
        let scene = try BackupFaultScene()
        let secrets = [
            try #require(TestEnvironment.value("WALS_TEST_S3_SECRET_KEY")), "password-for-nobody",
            "session-token-of-nobody",
        ]
        let seen = Locked([String]())
        func watch(_ reply: FaultReply?) {
            scene.proxy.setRules([
                FaultRule(reply ?? .forward) { request in
                    // Now and then is enough, and every request of a command that does few.
                    if request.number % 3 == 0 { seen.withLock { $0 += Self.commandLines() } }
                    return reply != nil && request.target.contains("basebackups_005")
                }
            ])
        }
        var texts: [String] = []
        func run(_ arguments: [String], _ changed: [String: String?] = [:], codes: Set<Int>) async throws {
            let environment = Self.talkative.merging(changed) { $1 }
            let outcome = try await scene.start(arguments, environment, asServerUser: true).wait(timeout: .seconds(120))
            #expect(codes.contains(outcome.exitCode), "\(arguments): \(outcome)")
            texts.append(outcome.description)
        }
        let token: [String: String?] = ["AWS_SESSION_TOKEN": "session-token-of-nobody", "S3_MAX_RETRIES": "1"]
        let target = try Cluster(empty: "target")
        watch(nil)
        try await run(["backup-push", scene.data], codes: [0])
        try await run(["backup-list", "--detail"], codes: [0])
        try await run(["backup-fetch", target.data, "LATEST"], codes: [0])
        // The server knows no such session; whether it looks is its affair.
        for arguments in [
            ["backup-push", scene.data], ["backup-list"], ["backup-fetch", target.directory + "/not-yet", "LATEST"],
        ] {
            try await run(arguments, ["AWS_SECRET_ACCESS_KEY": secrets[0] + "-wrong"], codes: [77])
            try await run(arguments, token, codes: [0, 1, 69, 77, 78])
            try await run(arguments + ["--nonsense"], token, codes: [64])
        }
        for reply in [
            FaultReply.answer(.s3Error(403, code: "AccessDenied", message: "the signature used \(secrets[0])")),
            .answer(.s3Error(500, code: "InternalError")), .nothing(.reset),
        ] {
            watch(reply)
            try await run(["backup-push", scene.data], token, codes: [69, 77])
            try await run(["backup-list"], token, codes: [69, 77])
            try await run(["backup-fetch", target.directory + "/c", "LATEST"], token, codes: [69, 77])
        }
        scene.proxy.setRules([])
        try await run(["backup-push", scene.data], ["PGHOST": target.directory], codes: [69])
        for secret in secrets {
            for text in texts where text.contains(secret) { Issue.record("a secret in: \(text)") }
            let lines = seen.withLock { $0.filter { $0.contains(secret) } }
            #expect(lines == [])
        }
        #expect(seen.withLock { $0.contains { $0.contains("backup-push") } })
        #expect(texts.contains { $0.contains("DEBUG") }, "\(texts.first ?? "")")
    }
}
