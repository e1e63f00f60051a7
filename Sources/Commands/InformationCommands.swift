/// Commands that tell about the program itself.
enum InformationCommands {
    /// Each setting as a flag.
    static let flags: CommandHandler = { context in
        guard !context.has(.markdown) else { return try context.print(SettingsDocument.text()) }
        var rows: [(String, String)] = []
        for setting in SettingTable.all {
            for name in setting.names {
                let flag = Setting.flagName(name)
                // A secret is given as a file: a command line can be read by every user of the machine.
                rows.append(("--" + (setting.kind.isSecret ? flag + "-file" : flag), setting.summary))
            }
        }
        rows.sort { $0.0 < $1.0 }
        let width = rows.map(\.0.utf8.count).max() ?? 0
        try context.print(
            rows.map { flag, summary in
                flag + String(repeating: " ", count: width - flag.utf8.count) + "   " + summary + "\n"
            }.joined())
    }

    static let help: CommandHandler = { context in
        let help = Help(table: context.table, program: context.edge.programName)
        // The words must lead to a command, as on a command line.
        _ = try ArgumentParser.parse(context.arguments + ["--help"], table: context.table)
        try context.print(help.text(for: context.arguments))
    }

    static let version: CommandHandler = { context in
        try context.print(
            context.has(.json) ? Version.json() : Version.line(program: context.edge.programName))
    }
}
