/// The commands of the program, in the order help shows them.
///
/// A command is added by a row with the function that does it; parsing, help, suggestions and the documents follow.
package struct CommandTable: Sendable {
    package let commands: [Command]

    package init(_ commands: [Command]) { self.commands = commands }

    /// Everything this program knows: WAL-G's commands and ours.
    package static let standard = CommandTable(
        walCommands + backupCommands + ownCommands + plannedCommands)

    /// The command called by exactly these words.
    package func command(_ words: [String]) -> Command? { commands.first { $0.words == words } }

    /// The words that may follow `words`, in the table's order, hidden commands included.
    func children(of words: [String]) -> [String] {
        var children: [String] = []
        for command in commands where command.words.count > words.count && command.words.starts(with: words) {
            let word = command.words[words.count]
            if !children.contains(word) { children.append(word) }
        }
        return children
    }
}
