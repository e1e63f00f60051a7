/// A command line, understood.
package struct Invocation: Sendable {
    /// The command; nil for the program alone.
    package let command: Command?
    /// The words before the flags were taken out, for messages: `config show`.
    package let words: [String]
    package let arguments: [String]
    /// Values given to each flag of the command and the global ones, by the flag's long name, in order.
    let values: [String: [String]]
    package let settings: [SettingFlag]

    /// Whether a flag without value was given, and not as `--flag=false`.
    package func has(_ flag: Flag) -> Bool { values[flag.long]?.last == "true" }

    /// The value of a flag, the last when given more than once; nil when it was not given.
    package func value(_ flag: Flag) -> String? { values[flag.long]?.last }

    /// All values of a flag that may be given more than once.
    package func values(_ flag: Flag) -> [String] { values[flag.long] ?? [] }
}
