import Bytes

/// Where the value of a setting came from.
package enum SettingOrigin: Equatable, Sendable, CustomStringConvertible {
    /// A command-line flag, with its dashes.
    case flag(String)
    /// An environment variable, by the name that was found.
    case environment(String)
    /// A configuration file, or the file in an envdir directory, and the key in it.
    case file(path: String, key: String)
    case builtIn

    package var description: String {
        switch self {
        case .flag(let name): "flag \(name)"
        case .environment(let name): "environment \(name)"
        case .file(let path, let key): Path.name(path) == key ? "file \(path)" : "file \(path) \(key)"
        case .builtIn: "default"
        }
    }

    /// How the setting was spelt there.
    package var spelling: String? {
        switch self {
        case .flag(let name), .environment(let name), .file(_, let name): name
        case .builtIn: nil
        }
    }
}
