/// A command line that means nothing to the program.
package struct UsageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        case unknownCommand, unknownFlag, missingValue, invalidValue, wrongArguments
        /// The command or flag is known, and not built in this version.
        case notAvailable
    }

    package let kind: Kind
    /// The command as far as it was understood; empty when it was not.
    package let command: String
    /// What is wrong and what to do, in one line.
    package let message: String

    package init(_ kind: Kind, command: String, _ message: String) {
        self.kind = kind
        self.command = command
        self.message = message
    }

    package var description: String { message }
}
