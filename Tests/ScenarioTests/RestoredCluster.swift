import Bytes
import Glibc
import TestSupport

/// The place of a restore, and a server that recovers from it.
///
/// As root everything belongs to `postgres`, who runs the server.
final class RestoredCluster {
    let folder: TemporaryDirectory
    /// The data directory; not made yet.
    let data: String
    let bin: String
    private var isStarted = false

    /// Where the programs of a major version are; nil when that version is not here.
    static func bin(_ version: Int) -> String? {
        let folder = TestEnvironment.value("WALS_TEST_PG_BIN_\(version)") ?? "/usr/lib/postgresql/\(version)/bin"
        return access(folder + "/postgres", X_OK) == 0 ? folder : nil
    }

    init(version: Int) async throws {
        guard let bin = Self.bin(version) else { throw SystemError(call: "open", path: "postgres \(version)", code: 2) }
        self.bin = bin
        folder = try TemporaryDirectory("wal-s-restore")
        data = folder.file("data")
        try await own(folder.path)
    }

    /// Gives a path to whom the server runs as.
    func own(_ path: String) async throws {
        guard TestEnvironment.isRoot else { return }
        let result = try await Shell.run(["chown", "-R", "postgres:postgres", path])
        guard result.exitCode == 0 else { throw ScenarioFailure(result.description) }
    }

    func run(_ command: [String], environment: [String: String?] = [:], input: [UInt8] = []) async throws
        -> Shell.Outcome
    {
        let user = TestEnvironment.isRoot ? ["runuser", "-u", "postgres", "--"] : []
        return try await Shell.run(
            user + command, environment: environment, input: input, workingDirectory: "/tmp", timeout: .seconds(240))
    }

    /// A `restore_command` that needs nothing but a shell and the codecs' programs.
    func shellRestoreCommand(_ bucket: FixtureBucket) async throws -> String {
        try await own(bucket.path)
        let script = try folder.write(
            Array(
                """
                o='\(bucket.path)/wal_005/'$1
                if [ -f "$o.lz4" ]; then exec lz4 -dcq "$o.lz4" > "$2"; fi
                if [ -f "$o.zst" ]; then exec zstd -dcq "$o.zst" > "$2"; fi
                if [ -f "$o.br" ]; then exec brotli -dc "$o.br" > "$2"; fi
                if [ -f "$o.lzma" ]; then exec xz --format=lzma -dc "$o.lzma" > "$2"; fi
                if [ -f "$o" ]; then exec cp "$o" "$2"; fi
                exit 1

                """.utf8), to: "fetch-wal")
        try await own(script)
        return "sh \(script) \"%f\" \"%p\""
    }

    /// Starts the server in recovery.
    func start(restoreCommand: String?, _ settings: [(name: String, value: String)]) async throws -> Shell.Outcome {
        if let restoreCommand {
            var lines = ["restore_command = \(Self.quoted(restoreCommand))"]
            if settings.contains(where: { $0.name.hasPrefix("recovery_target") && !$0.name.hasSuffix("_timeline") }) {
                lines.append("recovery_target_action = 'promote'")
            }
            lines += settings.map { "\($0.name) = \(Self.quoted($0.value))" }
            let file = try FileDescriptor(opening: data + "/postgresql.auto.conf", O_WRONLY | O_CREAT | O_APPEND)
            try file.write(Array((lines.joined(separator: "\n") + "\n").utf8).span.bytes)
            try await own(data + "/postgresql.auto.conf")
            _ = try FileDescriptor(opening: data + "/recovery.signal", O_WRONLY | O_CREAT)
            try await own(data + "/recovery.signal")
        }
        isStarted = true
        let options = "-c listen_addresses='' -c unix_socket_directories='\(folder.path)' -c fsync=off"
        return try await run([
            bin + "/pg_ctl", "-D", data, "-l", folder.file("log"), "-w", "-t", "120", "-o", options, "start",
        ])
    }

    /// Waits until recovery has ended.
    func waitForPromotion() async throws {
        let script = """
            for i in $(seq 1 600); do
              r=$('\(bin)/psql' -XAtc 'select pg_is_in_recovery()' -d postgres 2>/dev/null)
              [ "$r" = f ] && exit 0
              '\(bin)/pg_ctl' -D '\(data)' status >/dev/null || exit 1
              sleep 0.1
            done
            exit 1
            """
        let result = try await run(["sh", "-c", script], environment: environment)
        guard result.exitCode == 0 else { throw ScenarioFailure("not promoted:\n\(log)") }
    }

    func sql(_ text: String, database: String = "postgres") async throws -> String {
        let result = try await run([bin + "/psql", "-XAt", "-d", database, "-c", text], environment: environment)
        guard result.exitCode == 0 else { throw ScenarioFailure(result.description) }
        return result.text.hasSuffix("\n") ? String(result.text.dropLast()) : result.text
    }

    /// The digest of the dump as the fixtures' README describes it.
    func dumpDigest() async throws -> String {
        let script = """
            '\(bin)/pg_dumpall' --no-role-passwords --no-unlogged-table-data \
            | LC_ALL=C grep -v -E '^(\\\\(un)?restrict |-- Dumped (from|by) |CREATE TABLESPACE )' | sha256sum
            """
        let variables = ["PGTZ": "UTC", "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"].merging(environment) { $1 }
        let result = try await run(["sh", "-c", script], environment: variables)
        return String(result.text.prefix(64))
    }

    func stop() async throws {
        guard isStarted else { return }
        _ = try await run([bin + "/pg_ctl", "-D", data, "-m", "fast", "-w", "stop"])
        isStarted = false
    }

    private var environment: [String: String?] { ["PGHOST": folder.path, "PGUSER": "postgres"] }

    var log: String {
        String(decoding: (try? FileSystem.contents(folder.file("log"))) ?? [], as: UTF8.self)
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}

/// Why a scenario could not be played.
struct ScenarioFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
