package import Server

extension Settings {
    /// How to reach the server.
    ///
    /// Only what came from a flag or the file is said here: the environment libpq reads itself, and it ranks variables
    /// below a service's entries, which parameters are not.
    ///
    /// - Throws: `ConfigurationError` for a setting that libpq takes from the environment alone.
    package func connection() throws(ConfigurationError) -> ConnectionSettings {
        var parameters: [String: String] = [:]
        for setting in SettingTable.server {
            guard setting.name != .pgData, setting.name != .pgPassword, setting.name != .pgBackRestStanza,
                let entry = entries[setting.name]
            else { continue }
            if case .environment = entry.origin { continue }
            guard let keyword = ConnectionSettings.keyword(ofVariable: setting.name.rawValue) else {
                throw ConfigurationError(
                    .conflict, subject: setting.name.rawValue,
                    detail: "is taken from the environment only, and is set by \(entry.origin)")
            }
            parameters[keyword] = entry.value.displayed
        }
        return ConnectionSettings(parameters: parameters, password: secret(.pgPassword))
    }
}
