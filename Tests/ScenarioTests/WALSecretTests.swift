import Bytes
import Foundation
import TestSupport
import Testing

/// F10: no secret in any output or on any command line, at the most talkative level, whatever goes wrong.
@Suite(
    .enabled(if: Cluster.isAvailable, "no PostgreSQL here"),
    .enabled(if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set"), .timeLimit(.minutes(20)))
struct WALSecretTests {
    /// Words that are found again wherever they appear.
    ///
    /// The key is the one that the server knows.
    private static let secrets: [String: String] = [
        "AWS_SECRET_ACCESS_KEY": TestEnvironment.value("WALS_TEST_S3_SECRET_KEY") ?? "",
        "PGPASSWORD": "pgpassword-Zw3k9", "WALG_PGP_KEY_PASSPHRASE": "passphrase-Qx7m2",
    ]
    private static let token = "session-token-Ty5u8"

    private func leaks(_ outcome: Shell.Outcome) -> [String] {
        let text = outcome.text + outcome.errorText
        return Self.searched.filter { !$0.isEmpty && text.contains($0) }
    }

    private static var searched: [String] {
        secrets.values + [token] + secrets.values.map { Data($0.utf8).base64EncodedString() }
    }

    private struct Run {
        let what: String
        let words: [String]
        var settings: [String: String?] = [:]
        var rules: [FaultRule] = []
    }

    @Test(arguments: ["text", "json"])
    func `no run tells a secret`(_ format: String) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let faults = try #require(archive.faults)
        let talkative = ["WALG_LOG_LEVEL": "DEVEL", "S3_LOG_LEVEL": "DEVEL", "WALS_LOG_FORMAT": format]
        var program = try WALProgram(archive, control: template.control, signal: "recovery", talkative)
        // A passphrase alone may be refused; each secret is tried where it is taken too.
        program.settings.merge(["PGPASSWORD": Self.secrets["PGPASSWORD"] ?? ""]) { $1 }
        let (name, path) = (template.target, try program.place(template.target, template.bytes(template.target)))
        let target = "pg_wal/RECOVERYXLOG"
        let all: [String: String?] = Self.secrets.mapValues { $0 }
        let token: [String: String?] = ["AWS_SESSION_TOKEN": Self.token]
        let runs: [Run] = [
            Run(what: "push", words: ["wal-push", path]), Run(what: "fetch", words: ["wal-fetch", name, target]),
            Run(what: "absent", words: ["wal-fetch", "00000002.history", target]),
            Run(what: "all secrets", words: ["wal-push", path], settings: all),
            Run(what: "token", words: ["wal-push", path], settings: token),
            Run(what: "token, fetch", words: ["wal-fetch", name, target], settings: token),
            Run(what: "usage", words: ["wal-push"]), Run(what: "usage", words: ["wal-fetch", name, "--nonsense"]),
            Run(what: "unknown", words: ["wal-posh", path]),
            Run(what: "value", words: ["wal-push", path], settings: ["S3_MAX_RETRIES": "x"]),
            Run(what: "value", words: ["wal-push", path], settings: ["WALG_LOG_LEVEL": "CHATTY"]),
            Run(
                what: "secret as endpoint", words: ["wal-push", path],
                settings: ["AWS_ENDPOINT": "http://user:\(Self.token)@127.0.0.1:1"]),
            Run(
                what: "500", words: ["wal-push", path],
                rules: [FaultRule("PUT", .answer(.s3Error(500, code: "InternalError")))]),
            Run(
                what: "403", words: ["wal-fetch", name, target], settings: token,
                rules: [FaultRule(nil, .answer(.s3Error(403, code: "AccessDenied")))]),
            Run(what: "refused", words: ["wal-push", path], settings: ["AWS_ENDPOINT": "http://127.0.0.1:1"]),
            Run(what: "config show", words: ["config", "show"], settings: token),
            Run(what: "help", words: ["wal-push", "--help"]),
            Run(what: "list", words: ["backup-list"], settings: token),
        ]
        for run in runs {
            faults.setRules(run.rules)
            let outcome = try await Shell.run(
                [BuiltBinary.path()] + run.words, environment: program.environment.merging(run.settings) { $1 },
                workingDirectory: program.folder.path)
            let found = leaks(outcome)
            #expect(found == [], "\(run.what)")
        }
        // On the wire the secret key must not be either: it signs.
        let secret = Self.secrets["AWS_SECRET_ACCESS_KEY"] ?? ""
        #expect(!faults.requests.contains { String(decoding: $0.head, as: UTF8.self).contains(secret) })
    }

    @Test func `no command line shows a secret, the prefetcher's included`() async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        // The prefetcher meets a server that does not answer, and is there to be looked at.
        let after = template.segments.filter { $0 > template.target }.first ?? ""
        archive.faults?.setRules([FaultRule("GET", containing: after, .nothing(.hang))])
        let program = try WALProgram(
            archive, control: template.control, signal: "recovery", ["WALG_DOWNLOAD_CONCURRENCY": "4"])
        let (outcome, _) = try await program.fetch(template.target)
        #expect(outcome.exitCode == 0, "\(outcome)")
        var lines: [String] = []
        for _ in 0..<200 where !lines.contains(where: { $0.contains("wal-prefetch") }) {
            lines = try FileSystem.names(in: "/proc").compactMap { name in
                guard name.utf8.first.map({ (0x30...0x39).contains($0) }) == true,
                    let bytes = try? FileSystem.contents("/proc/\(name)/cmdline", limit: 1 << 20)
                else { return nil }
                return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(lines.contains { $0.contains("wal-prefetch") })
        let ours = lines.filter { $0.contains("wal-prefetch") || $0.contains("wal-fetch") }
        for secret in Self.searched { #expect(!ours.contains { $0.contains(secret) }) }
        archive.faults?.stop()
    }
}
