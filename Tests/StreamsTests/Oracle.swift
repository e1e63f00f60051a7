import TestSupport

/// Programs that did not come from here and know the formats.
enum Oracle {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func has(_ names: String...) -> Bool { names.allSatisfy { TestEnvironment.hasProgram($0) } }

    /// Runs a program over `input` and returns what it wrote; any exit code but 0 is thrown.
    static func run(
        _ command: [String], input: [UInt8] = [], in directory: String? = nil
    ) async throws -> [UInt8] {
        let outcome = try await Shell.run(command, input: input, workingDirectory: directory)
        guard outcome.exitCode == 0 else {
            let command = command.joined(separator: " ")
            throw Failure(description: "\(command): exit code \(outcome.exitCode): \(outcome.errorText)")
        }
        return outcome.output
    }
}
