package import Bytes
package import Storage

/// What a command is given: its line, the settings, and the ways out.
package struct CommandContext: Sendable {
    package let invocation: Invocation
    package let settings: Settings
    package let log: Log
    package let edge: Edge
    let table: CommandTable

    /// The arguments, as many as the command's row allows.
    package var arguments: [String] { invocation.arguments }

    /// The argument at `index`; nil when it was not given.
    package func argument(_ index: Int) -> String? {
        invocation.arguments.indices.contains(index) ? invocation.arguments[index] : nil
    }

    package func has(_ flag: Flag) -> Bool { invocation.has(flag) }
    package func value(_ flag: Flag) -> String? { invocation.value(flag) }

    /// Writes to standard output: results only.
    package func print(_ text: String) throws { try edge.output(text) }

    /// How long one request of an hours-long command is tried again, so that an outage of minutes does not end it.
    package static let longRetryBudget: Duration = .seconds(900)

    /// The configured store, with `WALG_STORAGE_PREFIX` applied; a request is tried again for `retryBudget`.
    package func openStore(retryBudget: Duration = .seconds(50)) throws -> any ObjectStore {
        try StoreFactory(settings: settings, log: log, retryBudget: retryBudget).store()
    }

    /// Progress in the form the user asked for.
    package func progress(_ title: String) -> any ProgressReporting {
        let choice = value(.progress) ?? "auto"
        if choice == "none" { return NoProgress() }
        let errorOutput = edge.errorOutput
        if choice == "auto" && edge.isTerminal && log.format == .text {
            return ProgressLine(title: title, style: .terminal, write: errorOutput)
        }
        let log = log
        return ProgressLine(title: title, style: .lines) { line in log.info(String(line.dropLast())) }
    }

    /// The flags that another run of this program needs to have the same settings.
    package var settingArguments: [String] {
        var words = invocation.settings.map { "\(Self.long($0))=\($0.value)" }
        if let path = value(.config) { words.append("--config=\(path)") }
        return words
    }

    private static func long(_ flag: SettingFlag) -> String { "--" + Setting.flagName(flag.spelling) }
}
