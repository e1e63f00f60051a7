import Bytes
import Glibc
import TestSupport

/// Who the server runs as, where the tests run as root.
enum ServerUser {
    static func own(_ path: String) throws {
        if TestEnvironment.isRoot { try Program.check(["chown", "-R", "postgres:", path]) }
    }
}

/// The program under test, run by hand: in a directory that looks like a data directory, with hints of its own.
struct WALProgram: Sendable {
    /// What the surroundings of a test run may hold that would lead the program elsewhere.
    static let foreign = [
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT",
        "WALG_CONFIG_PATH", "WALS_STATE_DIR", "PGDATA", "WALS_TEST_BINARY", "WALS_TEST_S3_ENDPOINT",
        "WALS_TEST_S3_ACCESS_KEY", "WALS_TEST_S3_SECRET_KEY", "WALS_TEST_S3_BUCKET", "WALS_TEST_S3_REGION",
    ]

    let folder: TemporaryDirectory
    var settings: [String: String]

    /// `signal` is `recovery`, `standby`, or empty.
    init(_ archive: WALArchive, control: [UInt8]? = nil, signal: String = "", _ others: [String: String] = [:]) throws {
        folder = try TemporaryDirectory("wal-s-data")
        try FileSystem.makeDirectories(folder.file("pg_wal/archive_status"))
        try FileSystem.makeDirectories(folder.file("state"))
        if let control { try folder.write(control, to: "global/pg_control") }
        if !signal.isEmpty { try folder.write([], to: signal + ".signal") }
        settings = archive.settings.merging(Self.impatience) { $1 }.merging(
            ["WALS_STATE_DIR": folder.file("state"), "WALG_DOWNLOAD_CONCURRENCY": "1"]
        ) { $1 }.merging(others) { $1 }
    }

    /// Faults that last are to be given up soon.
    static let impatience = ["S3_MAX_RETRIES": "3", "WALS_FETCH_DEADLINE": "5s", "WALS_PUSH_DEADLINE": "5s"]

    var environment: [String: String?] {
        var all: [String: String?] = settings
        for name in Self.foreign where settings[name] == nil { all[name] = String?.none }
        return all
    }

    func run(_ arguments: String..., adding others: [String: String?] = [:]) async throws -> Shell.Outcome {
        try await Shell.run(
            [BuiltBinary.path()] + arguments, environment: environment.merging(others) { $1 },
            workingDirectory: folder.path, timeout: .seconds(60))
    }

    func start(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess([BuiltBinary.path()] + arguments, environment: environment, workingDirectory: folder.path)
    }

    /// Puts a file where PostgreSQL keeps its WAL; the path that `%p` would be.
    @discardableResult
    func place(_ name: String, _ bytes: [UInt8], isReady: Bool = false) throws -> String {
        try folder.write(bytes, to: "pg_wal/\(name)")
        if isReady { try folder.write([], to: "pg_wal/archive_status/\(name).ready") }
        return "pg_wal/\(name)"
    }

    func push(_ name: String, _ bytes: [UInt8]) async throws -> Shell.Outcome {
        try await run("wal-push", place(name, bytes))
    }

    /// Fetches and says what is at the target then; nil when nothing is.
    func fetch(_ name: String) async throws -> (outcome: Shell.Outcome, content: [UInt8]?) {
        _ = try? FileSystem.removeFile(folder.file("pg_wal/RECOVERYXLOG"))
        let outcome = try await run("wal-fetch", name, "pg_wal/RECOVERYXLOG")
        return (outcome, try? FileSystem.contents(folder.file("pg_wal/RECOVERYXLOG")))
    }

    /// What lies in `pg_wal` beside the status folder.
    func walFiles() throws -> [String] {
        try FileSystem.names(in: folder.file("pg_wal")).filter { $0 != "archive_status" }.sorted()
    }
}
