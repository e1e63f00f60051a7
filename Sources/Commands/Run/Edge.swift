import Bytes
import Glibc

/// The process's edge: what comes from outside and where output goes; tests give their own.
package struct Edge: Sendable {
    /// The name the program was called by, without folders.
    package let programName: String
    package let environment: [String: String]
    /// The user's home by the password database; nil when it has none.
    package let home: String?
    package let workingDirectory: String
    /// Where a container's last words go.
    package let terminationLog: String
    /// Whether standard error is a terminal.
    package let isTerminal: Bool
    /// Takes text as it is, for standard output.
    package let output: @Sendable (String) throws -> Void
    /// The same for standard error.
    package let errorOutput: @Sendable (String) -> Void

    package init(
        programName: String = "wal-s", environment: [String: String] = [:], home: String? = nil,
        workingDirectory: String = ".", terminationLog: String = "/dev/termination-log", isTerminal: Bool = false,
        output: @escaping @Sendable (String) throws -> Void, errorOutput: @escaping @Sendable (String) -> Void
    ) {
        self.programName = programName
        self.environment = environment
        self.home = home
        self.workingDirectory = workingDirectory
        self.terminationLog = terminationLog
        self.isTerminal = isTerminal
        self.output = output
        self.errorOutput = errorOutput
    }

    /// Called as `wal-g`: its defaults, wherever the two differ in output or flags.
    package var isWALG: Bool { programName == "wal-g" }

    /// The one of this process.
    package static func process(programPath: String) -> Edge {
        let standardOutput = TextWriter(descriptor: STDOUT_FILENO, name: "standard output")
        return Edge(
            programName: Path.name(programPath), environment: ProcessEnvironment.variables,
            home: ProcessEnvironment.home, isTerminal: isatty(STDERR_FILENO) == 1,
            output: { try standardOutput.write($0) },
            errorOutput: { text in
                let bytes = Array(text.utf8)
                _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            })
    }
}
