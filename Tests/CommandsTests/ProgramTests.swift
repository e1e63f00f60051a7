import Bytes
import Commands
import Storage
import TestSupport
import Testing

@Suite struct ProgramTests {
    private static let secrets = [
        "WALG_PGP_KEY", "WALG_PGP_KEY_PASSPHRASE", "WALG_LIBSODIUM_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "PGPASSWORD", "S3_SSE_C", "WALG_ENVELOPE_PGP_KEY", "WALG_FAILOVER_STORAGES", "SSH_PASSWORD",
        "AZURE_STORAGE_ACCESS_KEY", "WALG_AWS_SECRET_ACCESS_KEY", "S3_REQUEST_ADDITIONAL_HEADERS",
    ]

    @Test(arguments: CommandTable.standard.commands.map(\.name))
    func `help of every command names its flags, examples and codes`(name: String) async throws {
        let words = name.split(separator: " ").map(String.init)
        let command = try #require(CommandTable.standard.command(words))
        let run = await Run.program(words + ["--help"])
        #expect(run.ending == .code(0))
        #expect(run.errorOutput.isEmpty)
        #expect(run.output.hasPrefix(command.summary))
        guard command.isAvailable else {
            #expect(run.output.contains("not available in this version"))
            return
        }
        for flag in command.flags + Flag.global { #expect(run.output.contains("--\(flag.long)")) }
        for argument in command.arguments { #expect(run.output.contains(argument.usage)) }
        for example in command.examples { #expect(run.output.contains(example.line)) }
        for exit in command.exits { #expect(run.output.contains(exit.meaning)) }
        #expect(await Run.program(["help"] + words).output == run.output)
    }

    @Test func `the program alone, -h and help print the same list of commands`() async {
        let run = await Run.program([])
        #expect(run.ending == .code(0))
        for command in CommandTable.standard.commands where !command.isHidden {
            #expect(run.output.contains(command.name))
        }
        #expect(!run.output.contains("wal-prefetch"))
        #expect(await Run.program(["-h"]).output == run.output)
        #expect(await Run.program(["help"]).output == run.output)
    }

    @Test(arguments: [
        "backup-mark", "delete", "wal-show", "wal-verify", "st", "copy", "wal-receive", "wal-restore", "catchup-push",
        "catchup-fetch", "catchup-list", "catchup-send", "catchup-receive", "daemon", "pgbackrest", "completion",
    ])
    func `commands of WAL-G that are not built are known`(name: String) async {
        let run = await Run.program([name, "everything", "FORCE", "--confirm"])
        #expect(run.ending == .code(64))
        #expect(run.messages == ["ERROR: \(name) is not available in this version; see: wal-s \(name) --help"])
        #expect(await Run.program([name], programName: "wal-g").ending == .code(1))
    }

    /// Source: `../shared/fixtures/walg-outputs/version`.
    @Test func `the version is printed as WAL-G does`() async {
        #expect(await Run.program(["--version"], programName: "wal-g").output.hasPrefix("wal-g version v"))
        let run = await Run.program(["-v"])
        #expect(run.output.split(separator: "\t").last == "PostgreSQL\n")
        #expect(await Run.program(["version"]).output == run.output)
        #expect(await Run.program(["--version", "--json"]).output.hasPrefix(#"{"name":"wal-s","version":"#))
    }

    @Test func `flags lists every setting, secrets as files`() async {
        let run = await Run.program(["flags"])
        #expect(run.output.contains("--walg-s3-prefix "))
        #expect(run.output.contains("--wale-s3-prefix "))
        #expect(run.output.contains("--aws-secret-access-key-file "))
        #expect(!run.output.contains("--aws-secret-access-key "))
    }

    @Test func `config show tells each value, where it is from and what becomes of it`() async throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array(#"{"WALG_COMPRESSION_METHOD":"zstd","PGPORT":5433}"#.utf8), to: "c.json")
        let run = await Run.program(
            ["--walg-download-concurrency=3", "config", "show", "--config", path],
            environment: ["WALE_S3_PREFIX": "s3://b/p", "WALG_USE_WAL_DELTA": "true"])
        #expect(run.ending == .code(0))
        let lines = run.output.split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("WALG_S3_PREFIX = s3://b/p environment WALE_S3_PREFIX"))
        #expect(lines.contains("WALG_DOWNLOAD_CONCURRENCY = 3 flag --walg-download-concurrency"))
        #expect(lines.contains("WALG_COMPRESSION_METHOD = zstd file \(path) WALG_COMPRESSION_METHOD"))
        #expect(lines.contains("PGPORT = 5433 file \(path) PGPORT"))
        #expect(lines.contains("WALG_ALIVE_CHECK_INTERVAL = 1m default"))
        #expect(lines.contains { $0.hasPrefix("WALG_USE_WAL_DELTA = true environment WALG_USE_WAL_DELTA; accepted: ") })
    }

    @Test func `config show ends with 78 and tells every problem when there is one`() async throws {
        let run = await Run.program(
            ["config", "show", "--json"], environment: ["WALG_PGP_KEY_PATH": "/k", "WALG_UPLOAD_CONCURRENCY": "x"])
        #expect(run.ending == .code(78))
        let document = try JSONValue.parse(Array(run.output.utf8))
        #expect(document.member("problems")?.array?.count == 2)
        #expect(run.messages.count == 1)
    }

    @Test(arguments: secrets, [["config", "show"], ["config", "show", "--json"], ["broken"], ["check"]])
    func `no secret is ever printed`(name: String, words: [String]) async throws {
        let table = CommandTable(
            CommandTable.standard.commands + [
                Command(
                    "check", "Fails",
                    run: { context in throw ConfigurationError(.file, subject: "", detail: "\(context.settings)") })
            ])
        let run = await Run.program(
            words, environment: [name: "hunter2 \"x", "WALG_LOG_LEVEL": "DEVEL", "AWS_ACCESS_KEY_ID": "a"], table: table
        )
        #expect(!run.output.contains("hunter2"))
        #expect(!run.errorOutput.contains("hunter2"))
    }

    @Test(
        arguments: [
            (["wal-fetch"], 204), (["wal-fetch", "a", "b", "--nope"], 204), (["--nope", "wal-fetch", "a", "b"], 204),
            (["backup-list", "--nope"], 64), (["nonsense"], 64),
        ] as [([String], Int32)])
    func `wrong usage ends as PostgreSQL must understand it`(words: [String], code: Int32) async {
        let table = CommandTable(CommandTable.standard.commands.map(\.stubbed))
        #expect(await Run.program(words, table: table).ending == .code(code))
    }

    @Test func `a misspelt restore_command does not promote`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write([], to: "recovery.signal")
        #expect(await Run.program(["wal-fetsch", "a", "b"], workingDirectory: directory.path).ending == .code(204))
        try directory.write([], to: "standby.signal")
        #expect(await Run.program(["wal-fetsch", "a", "b"], workingDirectory: directory.path).ending == .code(64))
        #expect(await Run.program(["wal-fetch"], workingDirectory: directory.path).ending == .code(64))
    }

    @Test func `settings that cannot be used stop the command before it begins`() async {
        let table = CommandTable([Command("wal-push", "Pushes", run: { _ in Issue.record("ran") })])
        let run = await Run.program(["wal-push"], environment: ["WALG_LIBSODIUM_KEY": "k"], table: table)
        #expect(run.ending == .code(78))
        #expect(
            run.messages == [
                "ERROR: WALG_LIBSODIUM_KEY: encryption is not available in this version: data would be stored in clear"
            ])
    }

    @Test(arguments: ["wal-push", "wal-fetch", "backup-push", "backup-fetch", "backup-list"])
    func `no storage but the default one can be the target`(name: String) async {
        let arguments = ["wal-push": ["a"], "wal-fetch": ["a", "b"], "backup-fetch": ["a", "LATEST"]][name] ?? []
        let table = CommandTable(CommandTable.standard.commands.map(\.stubbed))
        let other = await Run.program([name, "--target-storage", "other"] + arguments, table: table)
        #expect(other.ending == .code(name == "wal-fetch" ? 204 : 78))
        #expect(other.errorOutput.contains("--target-storage: failover storages are not available"))
        let fine = await Run.program([name, "--target-storage=default"] + arguments, table: table)
        #expect(fine.ending == .code(0))
    }

    @Test func `what is accepted is said in the log, but not by wal-fetch`() async {
        let environment = ["WALG_UPLOAD_QUEUE": "5"]
        let table = CommandTable([
            Command("wal-fetch", "Fetches", run: { _ in }), Command("backup-push", "Pushes", run: { _ in }),
        ])
        #expect(await Run.program(["wal-fetch"], environment: environment, table: table).errorOutput.isEmpty)
        #expect(
            await Run.program(["backup-push"], environment: environment, table: table).messages == [
                "INFO: WALG_UPLOAD_QUEUE: parts are uploaded as they fill, within the memory limit"
            ])
    }

    @Test func `a failure is one line, as text or as JSON`() async throws {
        let table = CommandTable([
            Command(
                "fail", "Fails",
                run: { _ in
                    throw StorageError(.permissionDenied, operation: "PUT", key: "k", status: 403, detail: "no\nway")
                })
        ])
        let text = await Run.program(["fail"], table: table)
        #expect(text.ending == .code(77))
        #expect(text.messages == ["ERROR: PUT k: no; way (HTTP 403)"])
        let json = await Run.program(["fail", "--log-format", "json"], table: table)
        let document = try JSONValue.parse(Array(json.errorOutput.utf8))
        #expect(document.member("message_type")?.string == "exit_error")
        #expect(document.member("code")?.integer(Int.self) == 77)
        #expect(document.member("command")?.string == "fail")
        #expect(document.member("message")?.string == "PUT k: no; way (HTTP 403)")
    }

    @Test func `in Kubernetes the reason goes to the termination log, where there is one`() async throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write([], to: "termination-log")
        let environment = ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "WALG_PGP_KEY_PATH": "/k"]
        let table = CommandTable([Command("go", "Goes", run: { _ in })])
        _ = await Run.program(["go"], environment: ["WALG_PGP_KEY_PATH": "/k"], terminationLog: path, table: table)
        #expect(try FileSystem.contents(path).isEmpty)
        _ = await Run.program(["go"], environment: environment, terminationLog: path, table: table)
        #expect(String(decoding: try FileSystem.contents(path), as: UTF8.self).hasPrefix("WALG_PGP_KEY_PATH: "))
        let missing = directory.file("none")
        _ = await Run.program(["go"], environment: environment, terminationLog: missing, table: table)
        #expect(try FileSystem.status(missing) == nil)
    }

    @Test func `log lines may go to a file`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("log")
        let table = CommandTable([Command("say", "Says", run: { $0.log.info("hello") })])
        let run = await Run.program(["say"], environment: ["WALG_LOG_DESTINATION": path], table: table)
        #expect(run.errorOutput.isEmpty)
        #expect(String(decoding: try FileSystem.contents(path), as: UTF8.self).hasSuffix(" hello\n"))
        let bad = await Run.program(["say"], environment: ["WALG_LOG_DESTINATION": directory.path], table: table)
        #expect(bad.ending == .code(78))
    }
}

extension Command {
    /// The same line to understand, with nothing done.
    fileprivate var stubbed: Command {
        Command(name, summary, arguments: arguments, flags: flags, run: { _ in })
    }
}
