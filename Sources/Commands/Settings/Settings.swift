package import Bytes

/// The settings of one run: checked values, and where each came from.
package struct Settings: Sendable {
    /// A value and its origin.
    package struct Entry: Equatable, Sendable {
        package let value: SettingValue
        package let origin: SettingOrigin
    }

    /// What was set, by flag, environment or file.
    let entries: [SettingName: Entry]
    /// What makes the settings unusable, in the order of the table.
    package let problems: [ConfigurationError]
    /// What the log should say of them.
    package let notices: [SettingNotice]
    /// The configuration file or directory that was read; nil when there was none.
    package let file: String?

    init(
        entries: [SettingName: Entry], problems: [ConfigurationError] = [], notices: [SettingNotice] = [],
        file: String? = nil
    ) {
        self.entries = entries
        self.problems = problems
        self.notices = notices
        self.file = file
    }

    /// Throws what makes the settings unusable, all of it in one line.
    package func check() throws(ConfigurationError) {
        guard let first = problems.first else { return }
        guard problems.count > 1 else { throw first }
        throw ConfigurationError(
            first.kind, subject: "", detail: problems.map(\.description).joined(separator: "; "))
    }

    /// The value in effect and its origin: the default where none is set; nil when there is neither.
    package func entry(_ name: SettingName) -> Entry? {
        if let entry = entries[name] { return entry }
        let setting = SettingTable.setting(name)
        guard let text = setting.defaultText, let value = SettingValue(text, setting.kind) else { return nil }
        return Entry(value: value, origin: .builtIn)
    }

    /// Whether the setting was set, even to its default.
    package func isSet(_ name: SettingName) -> Bool { entries[name] != nil }

    /// The text of a setting, or its default; nil when there is neither.
    ///
    /// For the kinds `text`, `path`, `url`, `json` and `choice`.
    package func text(_ name: SettingName) -> String? {
        switch entry(name)?.value {
        case .text(let text): return text
        case nil: return nil
        default: preconditionFailure("\(name.rawValue) is not text")
        }
    }

    package func secret(_ name: SettingName) -> Secret? {
        switch entry(name)?.value {
        case .secret(let secret): return secret
        case nil: return nil
        default: preconditionFailure("\(name.rawValue) is not a secret")
        }
    }

    /// The switch, false when it is neither set nor has a default.
    package func bool(_ name: SettingName) -> Bool {
        switch entry(name)?.value {
        case .bool(let value): return value
        case nil: return false
        default: preconditionFailure("\(name.rawValue) is not a switch")
        }
    }

    /// The number or count of bytes, for a setting that has a default.
    package func integer(_ name: SettingName) -> Int {
        guard let value = integerIfAny(name) else { preconditionFailure("\(name.rawValue) has no default") }
        return value
    }

    /// The number or count of bytes, nil when it is neither set nor has a default.
    package func integerIfAny(_ name: SettingName) -> Int? {
        switch entry(name)?.value {
        case .integer(let value): return value
        case nil: return nil
        default: preconditionFailure("\(name.rawValue) is not a number")
        }
    }

    /// The duration, for a setting that has a default.
    package func duration(_ name: SettingName) -> Duration {
        guard case .duration(let value)? = entry(name)?.value else {
            preconditionFailure("\(name.rawValue) is not a duration with a default")
        }
        return value
    }
}

/// A line about a setting for the log.
package struct SettingNotice: Equatable, Sendable {
    package enum Level: Equatable, Sendable { case information, warning }

    package let level: Level
    package let message: String
}
