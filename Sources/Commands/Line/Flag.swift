/// A command-line flag: how it is spelt, what it takes and what it means.
package struct Flag: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        /// Present or not; `--flag=false` says not.
        case none
        /// Any text, shown in help by this word.
        case text(String)
        /// One of the words.
        case choice([String])
    }

    /// Without dashes.
    package let long: String
    package let short: Character?
    package let value: Value
    package let help: String
    /// The setting that the flag sets, if it is a shorter way to say one.
    package let setting: SettingName?
    package let isHidden: Bool
    /// False: WAL-G has the flag, and this version refuses it.
    package let isAvailable: Bool

    package init(
        _ long: String, _ short: Character? = nil, _ value: Value = .none, setting: SettingName? = nil,
        isHidden: Bool = false, isAvailable: Bool = true, _ help: String
    ) {
        self.long = long
        self.short = short
        self.value = value
        self.help = help
        self.setting = setting
        self.isHidden = isHidden
        self.isAvailable = isAvailable
    }
}

extension Flag {
    package static let config = Flag(
        "config", nil, .text("FILE"),
        "Configuration file or envdir directory (default ~/.walg.json; also WALG_CONFIG_PATH).")
    package static let turbo = Flag("turbo", "Ignore all kinds of throttling defined in the configuration.")
    package static let version = Flag("version", "v", "Print the version and exit.")
    package static let help = Flag("help", "h", "Print help and exit.")
    package static let logFormat = Flag(
        "log-format", nil, .choice(["text", "json"]), setting: .logFormat,
        "Form of log lines on standard error (default text).")
    package static let progress = Flag(
        "progress", nil, .choice(["auto", "none", "plain"]),
        "Progress of long commands: auto draws on a terminal, plain prints lines, none is quiet (default auto).")
    package static let json = Flag("json", "Print the result as JSON.")

    /// Taken by every command, before or after its name.
    package static let global: [Flag] = [config, turbo, logFormat, progress, help]

    private init(_ long: String, _ help: String) { self.init(long, nil, .none, help) }
    private init(_ long: String, _ short: Character, _ help: String) { self.init(long, short, .none, help) }
}
