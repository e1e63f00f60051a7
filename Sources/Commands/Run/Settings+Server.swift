import Bytes
package import Server

extension Settings {
    /// How to reach the server, in libpq's own order: parameters, then a service's entries, then variables.
    ///
    /// Flags are parameters. What the environment says libpq reads itself, and what the file says it is told as the
    /// environment would, as WAL-G does; so a service ranks above both.
    package func connection() -> ConnectionSettings {
        var connection = ConnectionSettings()
        for setting in SettingTable.server where setting.name != .pgData && setting.status == .supported {
            let variable = setting.name.rawValue
            guard let entry = entries[setting.name] else { continue }
            // The environment may name a file that holds the value; that libpq does not know.
            if case .environment(variable) = entry.origin { continue }
            let value = setting.kind.isSecret ? secret(setting.name) : Secret(entry.value.displayed)
            guard let value else { continue }
            guard case .flag = entry.origin, let keyword = ConnectionSettings.keyword(ofVariable: variable) else {
                // A flag for the service file comes here too: libpq has only the variable.
                connection.variables[variable] = value
                continue
            }
            if setting.name == .pgPassword {
                connection.password = value
            } else {
                connection.parameters[keyword] = value.revealed
            }
        }
        return connection
    }
}
