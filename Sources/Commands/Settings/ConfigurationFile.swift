import Bytes
import Glibc

/// A configuration file or envdir directory, read: keys and their text.
struct ConfigurationFile: Equatable, Sendable {
    struct Value: Equatable, Sendable {
        /// The key as it was written.
        let key: String
        /// The value as text; a map or list as JSON.
        let text: String
        /// Whether it was a map or a list.
        let isNested: Bool
        /// The file it stands in.
        let path: String
    }

    let path: String
    let values: [Value]

    /// Formats WAL-G reads beside these.
    private static let foreignExtensions = [
        "toml", "properties", "props", "prop", "hcl", "tfvars", "env", "dotenv", "ini",
    ]

    /// Reads the file that the user named, by its extension, or an envdir directory.
    ///
    /// - Throws: `ConfigurationError` when it is missing, unreadable, malformed or of another format.
    init(reading path: String) throws(ConfigurationError) {
        do {
            guard let status = try FileSystem.status(path) else {
                throw ConfigurationError(.file, subject: path, detail: "the configuration file does not exist")
            }
            if status.kind == .directory {
                self = try Self.environmentDirectory(path)
                return
            }
            let bytes = try FileSystem.contents(path, limit: 16 << 20)
            self.init(path: path, values: try Self.parse(bytes, path: path))
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(.file, subject: path, detail: "cannot read the configuration file: \(error)")
        }
    }

    private init(path: String, values: [Value]) {
        self.path = path
        self.values = values
    }

    /// The default file in `home`: `.walg.json`, `.walg.yaml` or `.walg.yml`; nil when there is none.
    ///
    /// - Throws: also when only a file of a format is there that WAL-G reads and we do not.
    static func `default`(home: String) throws(ConfigurationError) -> ConfigurationFile? {
        for name in [".walg.json", ".walg.yaml", ".walg.yml"] {
            let path = Path.join(home, name)
            if access(path, F_OK) == 0 { return try ConfigurationFile(reading: path) }
        }
        for name in foreignExtensions {
            let path = Path.join(home, ".walg." + name)
            if access(path, F_OK) == 0 { return try ConfigurationFile(reading: path) }
        }
        return nil
    }

    private static func parse(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> [Value] {
        let name = Path.name(path)
        let dot = name.lastIndex(of: ".")
        let format = dot.map { String(name[name.index(after: $0)...]) } ?? ""
        let document: JSONValue
        switch format {
        case "json":
            do throws(JSONError) { document = try JSONValue.parse(bytes) } catch {
                throw ConfigurationError(.file, subject: path, detail: "not valid JSON: \(error)")
            }
        case "yaml", "yml":
            do throws(YAMLError) { document = try YAMLReader.parse(bytes) } catch {
                throw ConfigurationError(.file, subject: path, detail: "not valid YAML: \(error)")
            }
        default:
            throw ConfigurationError(
                .file, subject: path,
                detail: "configuration files are read as JSON or YAML, by the extension .json, .yaml or .yml; "
                    + "this one has \(format.isEmpty ? "none" : "." + format)")
        }
        // An empty YAML document is null.
        if document.isNull && format != "json" { return [] }
        guard let members = document.object else {
            throw ConfigurationError(.file, subject: path, detail: "must hold one map of settings")
        }
        var seen: [String: String] = [:]
        var values: [Value] = []
        for member in members {
            if let earlier = seen.updateValue(member.name, forKey: SettingTable.capitals(member.name)) {
                throw ConfigurationError(
                    .file, subject: path, detail: "\(earlier) and \(member.name) are the same setting, given twice")
            }
            switch member.value {
            case .null: continue
            case .bool(let value): values.append(Value(member.name, value ? "true" : "false", path))
            case .number(let text), .string(let text): values.append(Value(member.name, text, path))
            case .array, .object:
                let text = String(decoding: JSONWriter.bytes(of: member.value), as: UTF8.self)
                values.append(Value(member.name, text, path, isNested: true))
            }
        }
        return values
    }

    /// Reads a directory in the form of envdir: a file a variable, its first line the value.
    ///
    /// Source: the envdir(8) page of daemontools: blanks at the end are dropped, NUL stands for a line break, an empty
    /// file unsets the variable. Names with a leading dot are left out.
    private static func environmentDirectory(_ path: String) throws -> ConfigurationFile {
        var values: [Value] = []
        for name in try FileSystem.names(in: path) where !name.hasPrefix(".") && !name.contains("=") {
            let file = Path.join(path, name)
            guard try FileSystem.status(file)?.kind == .regular else { continue }
            var line = try FileSystem.contents(file, limit: 1 << 20).prefix { $0 != 0x0A }
            while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0D { line.removeLast() }
            guard !line.isEmpty else { continue }
            let text = String(decoding: line.map { $0 == 0 ? 0x0A : $0 }, as: UTF8.self)
            values.append(Value(name, text, file))
        }
        return ConfigurationFile(path: path, values: values)
    }
}

extension ConfigurationFile.Value {
    fileprivate init(_ key: String, _ text: String, _ path: String, isNested: Bool = false) {
        self.init(key: key, text: text, isNested: isNested, path: path)
    }
}
