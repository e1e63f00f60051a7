import Bytes
import Glibc
import TestSupport
import Testing

/// An installed PostgreSQL.
struct Server: Sendable, CustomTestStringConvertible {
    /// Where its programs are.
    let bin: String

    var testDescription: String { bin }

    /// Runs a program as a user who may run servers.
    @discardableResult
    func run(_ command: [String], timeout: Duration = .seconds(300)) async throws -> Shell.Outcome {
        let asUser = TestEnvironment.isRoot ? ["runuser", "-u", "postgres", "--"] + command : command
        let outcome = try await Shell.run(asUser, environment: ["LC_ALL": "C"], workingDirectory: "/", timeout: timeout)
        try #require(outcome.exitCode == 0, "\(outcome)")
        return outcome
    }

    /// Lends a folder that belongs to that user.
    func withScratch(_ body: (String) async throws -> Void) async throws {
        let folder = try await run(["mktemp", "-d"]).text.split(separator: "\n").first.map(String.init)
        let path = try #require(folder)
        let result: Result<Void, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        try await run(["rm", "-rf", path])
        try result.get()
    }
}

enum Servers {
    /// Debian's installations, and those whose folders `WALS_TEST_POSTGRES` names, with colons between.
    static let all: [Server] = {
        var folders = (try? FileSystem.names(in: "/usr/lib/postgresql")) ?? []
        folders = folders.map { "/usr/lib/postgresql/\($0)/bin" }
        folders += (TestEnvironment.value("WALS_TEST_POSTGRES") ?? "").split(separator: ":").map(String.init)
        return folders.filter { access("\($0)/initdb", X_OK) == 0 }.map { Server(bin: $0) }
    }()
}
