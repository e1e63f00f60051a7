import Bytes
import Commands
import TestSupport

/// What a run of the program left behind.
struct Run {
    let ending: Ending
    let output: String
    let errorOutput: String

    /// Runs the program in a world of its own.
    static func program(
        _ words: [String], environment: [String: String] = [:], home: String? = nil,
        workingDirectory: String = "/nonexistent", terminationLog: String = "/nonexistent/log",
        programName: String = "wal-s", table: CommandTable = .standard
    ) async -> Run {
        let output = Locked("")
        let errorOutput = Locked("")
        let edge = Edge(
            programName: programName, environment: environment, home: home, workingDirectory: workingDirectory,
            terminationLog: terminationLog,
            output: { text in output.withLock { $0 += text } },
            errorOutput: { text in errorOutput.withLock { $0 += text } })
        let ending = await Program(edge: edge, table: table).run(words)
        return Run(
            ending: ending, output: output.withLock { $0 }, errorOutput: errorOutput.withLock { $0 })
    }

    /// The log lines without their times: `ERROR: message`.
    var messages: [String] {
        errorOutput.split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 3)
            return words.count == 4 ? "\(words[0]) \(words[3])" : String(line)
        }
    }
}
