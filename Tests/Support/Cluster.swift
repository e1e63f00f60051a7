import Bytes
import Foundation

/// The outcome of a program that was run to its end.
package struct ProgramResult: Sendable {
    package let status: Int32
    package let output: String
    package let errors: String
}

/// A program of the machine, run with its output caught.
package enum Program {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs `arguments`, the first of which is looked up in `PATH`, to the end.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil, input: String? = nil
    ) throws -> ProgramResult {
        try start(arguments, environment: environment, directory: directory, input: input).wait()
    }

    /// A program that runs; `wait` must be called once.
    package struct Running: Sendable {
        package let pid: pid_t
        fileprivate let files: [String]

        package func signal(_ number: Int32) { kill(pid, number) }

        /// Waits for the end; a program that a signal ended has that signal's number plus 128 as status.
        package func wait() throws -> ProgramResult {
            defer { for file in files { unlink(file) } }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) != pid {
                guard errno == EINTR else {
                    throw Failure(description: "waitpid \(pid): \(String(cString: strerror(errno)))")
                }
            }
            let signal = status & 0x7F
            return ProgramResult(
                status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal,
                output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: files[1])), as: UTF8.self),
                errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: files[2])), as: UTF8.self))
        }
    }

    /// Starts `arguments`, the first of which is looked up in `PATH`.
    package static func start(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil, input: String? = nil
    ) throws -> Running {
        // Files, not pipes: a server started by the program keeps them open for its whole life. Not Foundation's
        // Process either: it waits until the program's descendants have ended too.
        let base = "\(NSTemporaryDirectory())/wals-run-\(UUID().uuidString)"
        let files = ["\(base).in", "\(base).out", "\(base).err"]
        try Data((input ?? "").utf8).write(to: URL(fileURLWithPath: files[0]))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, files[0], O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files[1], O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, files[2], O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // The threads of a test run block signals, and children inherit that: `pgbench -T` would wait for ever.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // What steers the tests is not for the programs: wal-s would warn of names that it does not know.
        let merged = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("WALS_TEST_") }
            .merging(environment) { $1 }
        let command = (directory.map { ["env", "-C", $0] } ?? []) + arguments
        let texts = command.map { strdup($0) }
        let variables = merged.map { strdup("\($0.key)=\($0.value)") }
        defer { for text in texts + variables { free(text) } }
        var pid = pid_t()
        let status = posix_spawnp(&pid, command[0], &actions, &attributes, texts + [nil], variables + [nil])
        guard status == 0 else {
            throw Failure(description: "\(arguments[0]): \(String(cString: strerror(status)))")
        }
        return Running(pid: pid, files: files)
    }

    /// Runs `arguments` and returns what they printed, without the last line break; anything but status 0 is an error.
    @discardableResult
    package static func check(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil, input: String? = nil
    ) throws -> String {
        let result = try run(arguments, environment: environment, directory: directory, input: input)
        guard result.status == 0 else {
            throw Failure(
                description:
                    "\(arguments.joined(separator: " ")): status \(result.status)\n\(result.output)\(result.errors)")
        }
        return result.output.hasSuffix("\n") ? String(result.output.dropLast()) : result.output
    }
}

/// A PostgreSQL cluster in a temporary directory: reached by a Unix socket there, gone with the value.
///
/// As root, the programs of the server run as the user `postgres`.
package final class Cluster {
    /// Where initdb and its siblings are: `WALS_TEST_PG_BIN`, else the newest below `/usr/lib/postgresql`.
    package static let programs: String? = {
        if let set = ProcessInfo.processInfo.environment["WALS_TEST_PG_BIN"], !set.isEmpty { return set }
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.compactMap { Int($0) }.sorted().reversed().map { "\(root)/\($0)/bin" }
            .first { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }
    }()

    package static var isAvailable: Bool { programs != nil }

    /// Of the cluster's own: sockets, the log, `data`.
    package let directory: String
    package var data: String { directory + "/data" }
    package private(set) var isRunning = false

    /// What libpq needs to reach the server.
    package var connection: [String: String] {
        ["host": directory, "port": "5432", "user": "postgres", "dbname": "postgres"]
    }

    /// The same, for programs.
    package var environment: [String: String] {
        ["PGHOST": directory, "PGPORT": "5432", "PGUSER": "postgres", "PGDATABASE": "postgres"]
    }

    /// A directory that the server's user may work in, and nothing in it.
    package init(empty name: String) throws {
        directory = FileManager.default.temporaryDirectory.path + "/wals-\(name)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if geteuid() == 0 { try Program.check(["chown", "postgres:", directory]) }
    }

    /// Makes a cluster; `archiveCommand` nil leaves archiving off.
    package convenience init(
        checksums: Bool = true, archiveCommand: String? = nil, settings: [String] = [], initdb: [String] = []
    ) throws {
        try self.init(empty: "cluster")
        var options = ["-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"] + initdb
        if checksums { options.append("--data-checksums") }
        try program("initdb", options)
        var lines = [
            "listen_addresses = ''", "unix_socket_directories = '\(directory)'", "port = 5432", "fsync = off",
            "shared_buffers = 16MB", "max_connections = 20", "min_wal_size = 80MB", "max_wal_size = 256MB",
            "log_min_messages = warning", "autovacuum = off",
        ]
        if let archiveCommand {
            let quoted = archiveCommand.replacing("'", with: "''")
            lines += ["archive_mode = on", "archive_command = '\(quoted)'"]
        }
        try configure(lines + settings)
    }

    deinit {
        if isRunning { _ = try? program("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"]) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Adds lines to `postgresql.conf`.
    package func configure(_ lines: [String]) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: data + "/postgresql.conf"))
        try file.seekToEnd()
        file.write(Data((lines.joined(separator: "\n") + "\n").utf8))
        try file.close()
    }

    /// Runs one of PostgreSQL's programs as the server's user.
    @discardableResult
    package func program(_ name: String, _ arguments: [String], input: String? = nil) throws -> String {
        try Program.check(
            Self.asServerUser([path(name)] + arguments), environment: environment, directory: directory, input: input)
    }

    package func path(_ program: String) -> String { (Self.programs ?? "") + "/" + program }

    /// `command`, run as `postgres` where the tests run as root.
    package static func asServerUser(_ command: [String]) -> [String] {
        geteuid() == 0 ? ["runuser", "-u", "postgres", "--"] + command : command
    }

    package func start() throws {
        try program("pg_ctl", ["-D", data, "-w", "-t", "120", "-l", directory + "/log", "start"])
        isRunning = true
    }

    package func stop(_ mode: String = "fast") throws {
        try program("pg_ctl", ["-D", data, "-w", "-m", mode, "stop"])
        isRunning = false
    }

    /// Runs statements through psql and returns their rows, columns separated by `|`.
    @discardableResult
    package func sql(_ statements: String, database: String = "postgres") throws -> String {
        try program("psql", ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input: statements)
    }

    /// All data as text, for comparing two clusters.
    package func dump() throws -> String {
        // Newer pg_dump versions guard their scripts with a random word.
        try program("pg_dumpall", []).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }

    package func log() -> String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }
}
