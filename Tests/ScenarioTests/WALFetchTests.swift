import Bytes
import Storage
import TestSupport
import Testing

/// F9: how wal-fetch ends, by what stands against it, with `recovery.signal` or `standby.signal` in the directory.
@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALFetchTests {
    static let onS3 = ConditionTrait.enabled(
        if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set")

    /// The segment after the last one.
    private func next(_ template: WALTemplate) -> String {
        let last = template.segments.last ?? ""
        let number = (UInt32(last.suffix(8), radix: 16) ?? 0) + 1
        return last.dropLast(8) + Hex.digits(number, width: 8)
    }

    private func reader(
        _ template: WALTemplate, _ archive: WALArchive, _ signal: String = "recovery", _ others: [String: String] = [:]
    ) throws -> WALProgram {
        try WALProgram(archive, control: template.control, signal: signal, others)
    }

    /// Nothing delivered, nothing left.
    private func expectRefusal(
        _ program: WALProgram, _ name: String, _ code: Int, _ what: String = ""
    ) async throws {
        let (outcome, content) = try await program.fetch(name)
        #expect(outcome.exitCode == code, "\(what): \(outcome)")
        #expect(content == nil, "\(what)")
        #expect(try program.walFiles() == [], "\(what)")
    }

    @Test(arguments: ArchivePlace.available)
    func `what is there is delivered, and what is proven absent is 74`(_ place: ArchivePlace) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(place)
        for signal in ["recovery", "standby", ""] {
            let program = try reader(template, archive, signal)
            for name in template.segments {
                let (outcome, content) = try await program.fetch(name)
                let isSame = content == template.bytes(name)
                #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
                #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
            }
            _ = try FileSystem.removeFile(program.folder.file("pg_wal/RECOVERYXLOG"))
            for name in ["00000002.history", "00000001.history", next(template), next(template) + ".partial"] {
                let before = archive.faults?.requestCount ?? 0
                try await expectRefusal(program, name, 74, "\(signal) \(name)")
                let spent = (archive.faults?.requestCount ?? 0) - before
                #expect(spent <= (name == "00000001.history" ? 0 : 3), "\(name): \(spent) requests")
            }
        }
    }

    enum Fault: String, CaseIterable, Sendable {
        case internalError, forbidden, unknownKey, refused, wrongBucket, emptyPrefix, hang

        var strictCode: Int {
            switch self {
            case .internalError, .refused, .hang: 201
            case .forbidden, .unknownKey: 203
            case .wrongBucket, .emptyPrefix: 204
            }
        }
        var standbyCode: Int {
            switch self {
            case .internalError, .refused, .hang: 75
            case .forbidden, .unknownKey: 77
            case .wrongBucket, .emptyPrefix: 78
            }
        }
        var rules: [FaultRule] {
            switch self {
            case .internalError: [FaultRule(nil, .answer(.s3Error(500, code: "InternalError")))]
            case .forbidden: [FaultRule(nil, .answer(.s3Error(403, code: "AccessDenied")))]
            case .hang: [FaultRule(nil, .nothing(.hang))]
            default: []
            }
        }
        var settings: [String: String] {
            switch self {
            case .unknownKey: ["AWS_ACCESS_KEY_ID": "AKIANOSUCHKEY0000001"]
            case .refused: ["AWS_ENDPOINT": "http://127.0.0.1:1"]
            case .wrongBucket: ["WALG_S3_PREFIX": "s3://no-such-bucket-here/wal"]
            case .emptyPrefix:
                ["WALG_S3_PREFIX": "s3://\(TestEnvironment.value("WALS_TEST_S3_BUCKET") ?? "")/nothing-is-here"]
            default: [:]
            }
        }
    }

    @Test(onS3, arguments: Fault.allCases)
    func `a store that does not answer is never taken for absence`(_ fault: Fault) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        archive.faults?.setRules(fault.rules)
        let settings = fault.settings.merging(["WALS_FETCH_DEADLINE": "2s"]) { $1 }
        for (signal, code) in [("recovery", fault.strictCode), ("", fault.strictCode), ("standby", fault.standbyCode)] {
            let program = try reader(template, archive, signal, settings)
            for name in ["00000002.history", template.target, next(template)] {
                try await expectRefusal(program, name, code, "\(signal) \(name)")
            }
            // It never exists, and nobody has to be asked.
            try await expectRefusal(program, "00000001.history", 74)
        }
    }

    @Test(onS3) func `a passing fault is passed over`() async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let key = "/wal_005/\(template.target)"
        let size = try await archive.stored(WALTemplate.key(template.target, "lz4"))?.count ?? 0
        let replies: [(what: String, reply: FaultReply)] = [
            ("500", .answer(.s3Error(500, code: "InternalError"))), ("cut", .forward.cut(afterBody: size / 2, .close)),
            ("reset in the body", .forward.cut(afterBody: size / 2, .reset)),
            (
                "flipped in transit",
                .forward.changed { answer in
                    HTTPResponse(
                        answer.status, headers: answer.headers, body: answer.body.flipped(bit: answer.body.count * 4))
                }
            ),
        ]
        for (what, reply) in replies {
            archive.faults?.setRules([FaultRule("GET", containing: key, on: 1...1, reply)])
            let (outcome, content) = try await reader(template, archive).fetch(template.target)
            let isSame = content == template.bytes(template.target)
            #expect(outcome.exitCode == 0 && isSame, "\(what): \(outcome)")
        }
        // A slow connection that gets on is no fault.
        archive.faults?.setRules([FaultRule("GET", containing: key, .forward.dripped(by: 256))])
        #expect(try await reader(template, archive).fetch(template.target).outcome.exitCode == 0)
    }

    @Test(onS3) func `a lasting fault of the transfer leaves nothing at the target`() async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let key = "/wal_005/\(template.target)"
        let replies: [(what: String, reply: FaultReply, code: Int)] = [
            ("cut", .forward.cut(afterBody: 0, .close), 201), ("stall", .forward.cut(afterBody: 100, .hang), 201),
            (
                "flipped",
                .forward.changed { answer in
                    HTTPResponse(
                        answer.status, headers: answer.headers, body: answer.body.flipped(bit: answer.body.count * 4))
                }, 202
            ),
        ]
        for (what, reply, code) in replies {
            archive.faults?.setRules([FaultRule("GET", containing: key, reply)])
            let program = try reader(template, archive, "recovery", ["WALS_FETCH_DEADLINE": "3s"])
            try await expectRefusal(program, template.target, code, what)
        }
    }

    @Test(arguments: ArchivePlace.available)
    func `a hole is an error, unless it is asked to be the end`(_ place: ArchivePlace) async throws {
        let template = try await WALTemplate.shared
        let key = WALTemplate.key(template.target, "lz4")
        let archive = try await template.archive(place) { objects in objects.removeAll { $0.key.text == key } }
        try await expectRefusal(reader(template, archive), template.target, 202)
        let standby = try await reader(template, archive, "standby").fetch(template.target).outcome
        #expect(standby.exitCode == 1, "\(standby)")
        let allowed = try await reader(template, archive)
            .run("wal-fetch", "--allow-gap", template.target, "pg_wal/RECOVERYXLOG")
        #expect(allowed.exitCode == 74, "\(allowed)")
    }

    @Test(arguments: [("recovery", 204), ("standby", 64), ("", 204)])
    func `a senseless call ends recovery nowhere`(_ signal: String, _ usage: Int) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.directory)
        let program = try reader(template, archive, signal)
        let (name, target) = (template.target, "pg_wal/RECOVERYXLOG")
        let calls: [[String]] = [
            ["wal-fetch"], ["wal-fetch", name], ["wal-fetch", "--nonsense", name, target],
            ["wal-fetch", name, target, "more"], ["wal-fetch", "../basebackups_005/x", target],
            ["wal-fetch", "hello", target], ["wal-fetch", name + ".lz4", target], ["wal-fetch", "", target],
        ]
        for call in calls {
            let outcome = try await Shell.run(
                [BuiltBinary.path()] + call, environment: program.environment, workingDirectory: program.folder.path)
            #expect(outcome.exitCode == usage, "\(outcome)")
            #expect(try program.walFiles() == [])
        }
        let configuration = signal == "standby" ? 78 : 204
        let bad: [[String: String?]] = [
            ["WALG_FILE_PREFIX": nil], ["WALG_DOWNLOAD_CONCURRENCY": "many"],
            ["WALG_S3_PREFIX": "bucket/p", "WALG_FILE_PREFIX": nil], ["WALG_LOG_LEVEL": "CHATTY"],
        ]
        for change in bad {
            let outcome = try await program.run("wal-fetch", name, target, adding: change)
            #expect(outcome.exitCode == configuration, "\(change): \(outcome)")
        }
    }

    @Test func `a target that cannot be written is no end of recovery, one that exists is replaced whole`() async throws
    {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.directory)
        let program = try reader(template, archive)
        let missing = try await program.run("wal-fetch", template.target, "nowhere/RECOVERYXLOG")
        #expect(missing.exitCode >= 126, "\(missing)")
        try program.place("RECOVERYXLOG", [1, 2, 3])
        let there = try await program.run("wal-fetch", template.target, "pg_wal/RECOVERYXLOG")
        #expect(there.exitCode == 0, "\(there)")
        let isSame =
            try FileSystem.contents(program.folder.file("pg_wal/RECOVERYXLOG")) == template.bytes(template.target)
        #expect(isSame)
        // A directory in the way.
        try FileSystem.makeDirectory(program.folder.file("pg_wal/taken"))
        let taken = try await program.run("wal-fetch", template.target, "pg_wal/taken")
        #expect(taken.exitCode >= 126, "\(taken)")
        #expect(try program.walFiles() == ["RECOVERYXLOG", "taken"])
    }

    @Test func `an unknown command in a recovering directory does not end recovery`() async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.directory)
        let outcome = try await reader(template, archive).run("wal-fetsh", template.target, "pg_wal/RECOVERYXLOG")
        #expect(outcome.exitCode >= 126, "\(outcome)")
        #expect(try await reader(template, archive, "").run("wal-pull").exitCode == 64)
    }

    @Test(onS3) func `under WAL-G's name it fails closed all the same, and its number can be had by a setting`()
        async throws
    {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        archive.faults?.setRules([FaultRule(nil, .answer(.s3Error(500, code: "InternalError")))])
        let program = try reader(template, archive, "recovery", ["WALS_FETCH_DEADLINE": "2s"])
        let link = program.folder.file("wal-g")
        try FileSystem.symbolicLink(to: BuiltBinary.path(), at: link)
        func run(_ words: [String], _ others: [String: String?] = [:]) async throws -> Int {
            try await Shell.run(
                [link] + words, environment: program.environment.merging(others) { $1 },
                workingDirectory: program.folder.path
            ).exitCode
        }
        let fetch = ["wal-fetch", template.target, "pg_wal/RECOVERYXLOG"]
        #expect(try await run(fetch) == 201)
        #expect(try await run(fetch, ["WALS_FETCH_ERROR_EXIT": "1"]) == 1)
        #expect(try await run(["wal-push", program.place(template.target, template.bytes(template.target))]) == 1)
        archive.faults?.setRules([])
        #expect(try await run(fetch) == 0)
        #expect(try await run(["wal-fetch", "00000002.history", "pg_wal/RECOVERYHISTORY"]) == 74)
    }

    @Test(onS3) func `a history that recovery has seen is answered again when the store is gone`() async throws {
        let template = try await WALTemplate.shared
        let history = Array("1\t0/5000000\tno recovery target specified\n".utf8)
        let archive = try await template.archive(.s3)
        let writer = try WALProgram(archive, control: template.control)
        #expect(try await writer.push("00000002.history", history).exitCode == 0)
        let program = try reader(template, archive)
        let (first, content) = try await program.fetch("00000002.history")
        #expect(first.exitCode == 0 && content == history, "\(first)")
        // PostgreSQL removes the signal file, then asks for the parent's history once more.
        _ = try FileSystem.removeFile(program.folder.file("recovery.signal"))
        archive.faults?.setRules([FaultRule(nil, .nothing(.reset))])
        let (late, again) = try await program.fetch("00000002.history")
        #expect(late.exitCode == 0 && again == history, "\(late)")
    }
}
