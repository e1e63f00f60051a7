import Bytes
import Glibc
import Testing

@testable import TestSupport

@Suite(.timeLimit(.minutes(1))) struct TestSupportTests {
    @Test func `a temporary directory goes with all that is in it, locked or not`() throws {
        var path = ""
        do {
            let directory = try TemporaryDirectory()
            path = directory.path
            try directory.write([1], to: "a/b/c")
            try FileSystem.makeDirectory(directory.file("empty"))
            #expect(try directory.tree() == ["a/b/c", "empty/"])
            try FileSystem.setMode(directory.file("a/b"), 0o500)
        }
        #expect(try FileSystem.status(path) == nil)
    }

    @Test func `a program gets its input, variables and directory, and its output comes back`() async throws {
        let result = try await Shell.run(
            ["sh", "-c", "cat; echo $WORD; pwd; echo oops >&2; exit 3"], environment: ["WORD": "set"],
            input: Array("in\n".utf8), workingDirectory: "/")
        #expect(result.exitCode == 3)
        #expect(result.text == "in\nset\n/\n")
        #expect(result.errorText == "oops\n")
        #expect(!result.timedOut)
    }

    @Test func `a variable can be removed`() async throws {
        let result = try await Shell.run(["sh", "-c", "echo ${HOME-none}"], environment: ["HOME": nil])
        #expect(result.text == "none\n")
    }

    @Test func `a program that takes too long is killed with its children`() async throws {
        let result = try await Shell.run(["sh", "-c", "sleep 1000 & sleep 1000"], timeout: .milliseconds(50))
        #expect(result.timedOut)
        #expect(result.exitCode == 128 + Int(SIGKILL))
    }

    @Test func `a program that is not there is an error`() async throws {
        await #expect(throws: SystemError.self) { try await Shell.run(["no-such-program-anywhere"]) }
    }

    @Test func `a child can be signalled and waited for`() async throws {
        let child = try ChildProcess(["sleep", "1000"])
        #expect(child.isRunning)
        child.signal(SIGTERM)
        #expect(try await child.wait().exitCode == 128 + Int(SIGTERM))
        #expect(!child.isRunning)
    }

    @Test func `a seed gives the same numbers each time`() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        let bytes = first.compressibleBytes(5000)
        #expect(bytes == second.compressibleBytes(5000))
        #expect(bytes.count == 5000)
        // The first output for seed 0, from the reference implementation (prng.di.unimi.it/splitmix64.c).
        var zero = SeededGenerator(seed: 0)
        #expect(zero.next() == 0xE220_A839_7B1D_CDAF)
    }

    @Test func `the top of the checkout holds the manifest`() throws {
        #expect(try FileSystem.status(Path.join(SharedMaterial.packageRoot, "Package.swift")) != nil)
        #expect(SharedMaterial.path("no/such/material") == nil)
    }
}
