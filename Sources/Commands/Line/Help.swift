/// The texts of `--help`, made from the table.
struct Help {
    let table: CommandTable
    /// The name the program was called by.
    let program: String

    /// Help for the words, a command's or a group's; for the program when there are none.
    func text(for words: [String]) -> String {
        if let command = table.command(words) { return text(for: command) }
        return words.isEmpty ? root : group(words)
    }

    private var root: String {
        let available = table.commands.filter { $0.isAvailable && !$0.isHidden }
        let planned = table.commands.filter { !$0.isAvailable && !$0.isHidden }
        var text = """
            PostgreSQL backup tool: archives WAL and takes backups into S3 or a directory, in WAL-G's format.

            Usage:
              \(program) [command]

            Available Commands:

            """
        text += columns(available.map { ($0.name, $0.summary) })
        if !planned.isEmpty {
            text += "\nKnown, but not available in this version:\n"
            text += wrapped(planned.map(\.name).joined(separator: ", "))
        }
        text += "\nFlags:\n" + columns((Flag.global + [.version]).map(row))
        text += "\nExamples:\n"
        text += "  \(program) backup-push $PGDATA\n  \(program) backup-fetch /new/data LATEST\n"
        text += "\nExit codes:\n" + columns(Command.Exit.usual.map { ($0.codes, $0.meaning) })
        text += "\nTo get the complete list of all global flags, run: '\(program) flags'\n"
        text += "\nUse \"\(program) [command] --help\" for more information about a command.\n"
        return text
    }

    private func group(_ words: [String]) -> String {
        let commands = table.commands.filter { $0.words.starts(with: words) && !$0.isHidden }
        return "Usage:\n  \(program) \(words.joined(separator: " ")) [command]\n\nAvailable Commands:\n"
            + columns(commands.map { ($0.name, $0.summary) })
    }

    private func text(for command: Command) -> String {
        var text = command.summary + "\n"
        guard command.isAvailable else { return text + "\nThis command is not available in this version.\n" }
        if !command.discussion.isEmpty { text += "\n" + command.discussion + "\n" }
        let usage = [program, command.name] + command.arguments.map(\.usage) + ["[flags]"]
        text += "\nUsage:\n  " + usage.joined(separator: " ") + "\n"
        if !command.arguments.isEmpty {
            text += "\nArguments:\n" + columns(command.arguments.map { ($0.name, $0.help) })
        }
        if !command.flags.isEmpty { text += "\nFlags:\n" + columns(command.flags.map(row)) }
        text += "\nGlobal Flags:\n" + columns(Flag.global.map(row))
        if !command.examples.isEmpty {
            text += "\nExamples:\n"
            for example in command.examples { text += "  \(program) \(example.line)\n      \(example.meaning)\n" }
        }
        text += "\nExit codes:\n" + columns(command.exits.map { ($0.codes, $0.meaning) })
        return text + "\nTo get the complete list of all global flags, run: '\(program) flags'\n"
    }

    private func row(_ flag: Flag) -> (String, String) {
        var left = flag.short.map { "-\($0), --\(flag.long)" } ?? "    --\(flag.long)"
        switch flag.value {
        case .none: break
        case .text(let word): left += " \(word)"
        case .choice(let words): left += " " + words.joined(separator: "|")
        }
        return (left, flag.help)
    }

    private func columns(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.utf8.count).max() ?? 0
        return rows.map { left, right in
            "  " + left + String(repeating: " ", count: width - left.utf8.count) + "   " + right + "\n"
        }.joined()
    }

    private func wrapped(_ text: String) -> String {
        var result = ""
        var line = " "
        for word in text.split(separator: " ") {
            if line.utf8.count + word.utf8.count > 96 {
                result += line + "\n"
                line = " "
            }
            line += " " + word
        }
        return result + line + "\n"
    }
}
