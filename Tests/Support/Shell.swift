import Bytes
import Dispatch
import Glibc

/// Programs that tests run.
///
///     let result = try await Shell.run(["lz4", "-d", "-c"], input: stored)
///     #expect(result.exitCode == 0, "\(result)")
package enum Shell {
    /// How a program ended and what it wrote.
    package struct Outcome: Sendable, CustomStringConvertible {
        package let command: [String]
        /// The exit code; 128 + the signal's number when a signal ended it, as shells say.
        package let exitCode: Int
        /// True when it was killed because its time was up.
        package let timedOut: Bool
        package let output: [UInt8]
        package let errors: [UInt8]

        package var text: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
        package var description: String {
            let end = timedOut ? "killed after its time was up" : "exit code \(exitCode)"
            return "\(command.joined(separator: " ")): \(end)\n\(text)\(errorText)"
        }
    }

    /// Runs a program to its end, without blocking a thread of the cooperative pool.
    ///
    /// `environment` is added to this process's own; an entry of nil removes a variable. When `timeout` is over the
    /// program and all of its process group are killed.
    package static func run(
        _ command: [String], environment: [String: String?] = [:], input: [UInt8] = [],
        workingDirectory: String? = nil, timeout: Duration = .seconds(60)
    ) async throws -> Outcome {
        let process = try ChildProcess(
            command, environment: environment, input: input, workingDirectory: workingDirectory)
        return try await process.wait(timeout: timeout)
    }
}

/// A program that runs beside the test, in a process group of its own.
///
/// When the last reference goes the group is killed and the child is reaped.
package final class ChildProcess: Sendable {
    private struct State {
        var isReaped = false
    }

    package let command: [String]
    package let processID: pid_t
    private let folder: TemporaryDirectory
    private let state = Locked(State())

    /// Starts a program found in `PATH`.
    ///
    /// Input, output and errors are files, so that no pipe can fill up.
    package init(
        _ command: [String], environment: [String: String?] = [:], input: [UInt8] = [],
        workingDirectory: String? = nil
    ) throws {
        precondition(!command.isEmpty)
        self.command = command
        folder = try TemporaryDirectory("wal-s-child")
        try folder.write(input, to: "in")

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, folder.file("in"), O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, folder.file("out"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, folder.file("err"), O_WRONLY | O_CREAT | O_APPEND, 0o600)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        // Swift's Glibc module does not offer posix_spawn_file_actions_addchdir_np.
        let words = (workingDirectory.map { ["env", "-C", $0] } ?? []) + command
        let arguments = words.map { strdup($0) } + [nil]
        let variables = Self.environment(changedBy: environment).map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var child = pid_t()
        let status = spawning.withLock { _ in
            posix_spawnp(&child, words[0], &actions, &attributes, arguments, variables)
        }
        guard status == 0 else { throw SystemError(call: "posix_spawn", path: command[0], code: status) }
        processID = child
    }

    deinit {
        if !state.withLock({ $0.isReaped }) {
            kill(-processID, SIGKILL)
            var status: CInt = 0
            waitpid(processID, &status, 0)
        }
    }

    /// What it wrote so far.
    package var output: [UInt8] { (try? FileSystem.contents(folder.file("out"))) ?? [] }
    package var errors: [UInt8] { (try? FileSystem.contents(folder.file("err"))) ?? [] }

    /// True until it ends.
    package var isRunning: Bool {
        state.withLock { state in
            guard !state.isReaped else { return false }
            var information = siginfo_t()
            return waitid(P_PID, id_t(processID), &information, WEXITED | WNOHANG | WNOWAIT) == 0
                && information.si_signo == 0
        }
    }

    /// Sends a signal to the program alone, or to all of its group; nothing when it has ended and was waited for.
    package func signal(_ number: CInt, wholeGroup: Bool = false) {
        state.withLock { state in
            if !state.isReaped { kill(wholeGroup ? -processID : processID, number) }
        }
    }

    /// Waits for the end; when `timeout` is over, kills the group first.
    package func wait(timeout: Duration = .seconds(60)) async throws -> Shell.Outcome {
        await withCheckedContinuation { (continuation: CheckedContinuation<Shell.Outcome, Never>) in
            // A thread of its own: tests may wait for more programs than any pool has threads.
            PlainThread.detach { continuation.resume(returning: self.waitBlocking(timeout)) }
        }
    }

    private func waitBlocking(_ timeout: Duration) -> Shell.Outcome {
        let ended = DispatchSemaphore(value: 0)
        let processID = processID
        PlainThread.detach {
            var information = siginfo_t()
            while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
            ended.signal()
        }
        var timedOut = false
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        if ended.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .timedOut {
            timedOut = true
            signal(SIGKILL, wholeGroup: true)
            ended.wait()
        }
        var status: CInt = 0
        state.withLock { state in
            if !state.isReaped { while waitpid(processID, &status, 0) < 0 && errno == EINTR {} }
            state.isReaped = true
        }
        let signal = status & 0x7F
        let exitCode = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        return Shell.Outcome(
            command: command, exitCode: Int(exitCode), timedOut: timedOut, output: output, errors: errors)
    }

    private static func environment(changedBy changes: [String: String?]) -> [String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.utf8.firstIndex(of: 0x3D) {
                variables[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
            }
            next += 1
        }
        // What steers the tests is not for the programs: wal-s would warn of names that it does not know.
        variables = variables.filter { !$0.key.hasPrefix("WALS_TEST_") }
        for (name, value) in changes { variables[name] = value }
        return variables.map { "\($0.key)=\($0.value)" }
    }
}

/// Held while a child is started, and while a descriptor is open that is not yet marked close-on-exec: a child that
/// inherits a socket would keep its connection alive.
let spawning = Locked(())

/// Plain threads, for what blocks.
package enum PlainThread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread that runs `body` and ends.
    package static func detach(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Work(body)).toOpaque()
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, context)
        precondition(status == 0, "pthread_create failed with \(status)")
        pthread_detach(thread)
    }
}
