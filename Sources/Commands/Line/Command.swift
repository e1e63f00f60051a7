/// One command: everything that parsing, help and the documents need, and what it does.
package struct Command: Sendable {
    /// A word the command takes that is no flag.
    package struct Argument: Equatable, Sendable {
        package enum Count: Equatable, Sendable { case one, optional, any }

        package let name: String
        package let count: Count
        package let help: String

        package init(_ name: String, _ help: String) { self.init(name, .one, help) }

        package init(_ name: String, _ count: Count, _ help: String) {
            self.name = name
            self.count = count
            self.help = help
        }

        /// As usage lines show it.
        package var usage: String {
            switch count {
            case .one: name
            case .optional: "[\(name)]"
            case .any: "[\(name)...]"
            }
        }
    }

    package struct Example: Equatable, Sendable {
        /// Without the program's name.
        package let line: String
        package let meaning: String

        package init(_ line: String, _ meaning: String) {
            self.line = line
            self.meaning = meaning
        }
    }

    /// A code the command ends with, and when.
    package struct Exit: Equatable, Sendable {
        package let codes: String
        package let meaning: String

        package init(_ codes: String, _ meaning: String) {
            self.codes = codes
            self.meaning = meaning
        }
    }

    /// The words that call it: `["config", "show"]`.
    package let words: [String]
    /// One sentence.
    package let summary: String
    /// More than the sentence, where that is needed; lines as they are to be printed.
    package let discussion: String
    package let arguments: [Argument]
    package let flags: [Flag]
    package let examples: [Example]
    package let exits: [Exit]
    package let isHidden: Bool
    /// Whether settings that cannot be used stop the command before it begins.
    package let needsSettings: Bool
    /// What it does; nil when this version knows the command and cannot do it.
    package let run: CommandHandler?

    package init(
        _ words: String, _ summary: String, discussion: String = "", arguments: [Argument] = [], flags: [Flag] = [],
        examples: [Example] = [], exits: [Exit] = Exit.usual, isHidden: Bool = false, needsSettings: Bool = true,
        run: CommandHandler? = nil
    ) {
        self.words = words.split(separator: " ").map(String.init)
        self.summary = summary
        self.discussion = discussion
        self.arguments = arguments
        self.flags = flags
        self.examples = examples
        self.exits = exits
        self.isHidden = isHidden
        self.needsSettings = needsSettings
        self.run = run
    }

    package var name: String { words.joined(separator: " ") }
    package var isAvailable: Bool { run != nil }

    /// How many arguments it takes at least.
    package var leastArguments: Int { arguments.count { $0.count == .one } }
    /// How many it takes at most; nil for any number.
    package var mostArguments: Int? { arguments.contains { $0.count == .any } ? nil : arguments.count }
}

/// What a command does: results go to the context's output, failures are thrown.
package typealias CommandHandler = @Sendable (CommandContext) async throws -> Void

extension Command.Exit {
    /// The codes of a command that is neither wal-push nor wal-fetch.
    package static let usual: [Command.Exit] = [
        .init("0", "done"), .init("1", "failed"), .init("2", "something stored is damaged"),
        .init("64", "wrong usage"),
        .init("69, 75", "the store or the server cannot be reached; try again"),
        .init("73", "refused: it would replace something different"),
        .init("77", "no permission, or credentials are wrong"), .init("78", "settings are wrong"),
        .init("130, 143", "interrupted"),
    ]
}
