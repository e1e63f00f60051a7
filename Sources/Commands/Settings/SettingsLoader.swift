import Bytes

/// A setting given as a command-line flag.
package struct SettingFlag: Equatable, Sendable {
    /// As typed, with its dashes.
    package let flag: String
    /// A spelling of the setting: `WALG_S3_PREFIX`.
    package let spelling: String
    package let value: String

    package init(flag: String, spelling: String, value: String) {
        self.flag = flag
        self.spelling = spelling
        self.value = value
    }
}

/// Makes `Settings` out of flags, environment and file, in this order of precedence.
///
/// Nothing here throws: what is wrong is collected, so that `config show` can show all of it.
struct SettingsLoader {
    private let flags: [SettingFlag]
    private let environment: [String: String]
    private let file: ConfigurationFile?
    private let fileValues: [String: ConfigurationFile.Value]
    private var entries: [SettingName: Settings.Entry] = [:]
    private var problems: [ConfigurationError] = []
    private var notices: [SettingNotice] = []

    /// A value found in a source, before it is read.
    private struct Candidate {
        let text: String
        let origin: SettingOrigin
        var isNested = false
        /// True: `text` is the path of a file that holds the value.
        var isFile = false
    }

    /// Loads the settings.
    ///
    /// `configPath` is the flag `--config`; `home` the home directory of the password database, nil when there is none.
    static func load(
        flags: [SettingFlag], environment: [String: String], configPath: String?, home: String?
    ) -> Settings {
        var file: ConfigurationFile?
        var problem: ConfigurationError?
        do throws(ConfigurationError) {
            let named = configPath ?? flags.last { $0.spelling == SettingName.configPath.rawValue }?.value
            if let path = named ?? trimmed(environment[SettingName.configPath.rawValue]) {
                file = try ConfigurationFile(reading: path)
            } else if let home {
                file = try ConfigurationFile.default(home: home)
            }
        } catch { problem = error }
        var loader = SettingsLoader(flags: flags, environment: environment, file: file)
        if let problem { loader.problems.append(problem) }
        for setting in SettingTable.all { loader.take(setting) }
        loader.checkTogether()
        loader.warnOfUnknownNames()
        return Settings(
            entries: loader.entries, problems: loader.problems, notices: loader.notices, file: file?.path)
    }

    private init(flags: [SettingFlag], environment: [String: String], file: ConfigurationFile?) {
        self.flags = flags
        self.environment = environment
        self.file = file
        fileValues = Dictionary(
            (file?.values ?? []).map { (SettingTable.capitals($0.key), $0) }, uniquingKeysWith: { _, last in last })
    }

    /// The text without line ends at its end; nil when nothing is left, which counts as unset.
    private static func trimmed(_ text: String?) -> String? {
        guard var bytes = text?.utf8[...] else { return nil }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        return bytes.isEmpty ? nil : String(Substring(bytes))
    }

    private mutating func take(_ setting: Setting) {
        let names = setting.names
        for find in [findFlag, findVariable, findKey] {
            var found: [Candidate] = []
            for name in names {
                if let candidate = find(name) { found.append(candidate) }
                guard setting.kind.isSecret, SettingTable.name(spelt: name + "_FILE") == setting.name else { continue }
                if var candidate = find(name + "_FILE") {
                    candidate.isFile = true
                    found.append(candidate)
                }
            }
            guard let first = found.first else { continue }
            if let other = found.first(where: { $0.isFile != first.isFile }) {
                problems.append(
                    ConfigurationError(
                        .conflict, subject: first.origin.spelling ?? "",
                        detail: "\(other.origin.spelling ?? "") is set too: set one of them"))
                return
            }
            if let other = found.first(where: { $0.text != first.text }) {
                warn(
                    "\(first.origin.spelling ?? "") and \(other.origin.spelling ?? "") are the same setting "
                        + "with different values: the first is used")
            }
            read(first, as: setting)
            return
        }
    }

    private func findFlag(_ name: String) -> Candidate? {
        // Of a flag given twice the last counts, as everywhere.
        guard let flag = flags.last(where: { $0.spelling == name }), let text = Self.trimmed(flag.value) else {
            return nil
        }
        return Candidate(text: text, origin: .flag(flag.flag))
    }

    private func findVariable(_ name: String) -> Candidate? {
        Self.trimmed(environment[name]).map { Candidate(text: $0, origin: .environment(name)) }
    }

    private func findKey(_ name: String) -> Candidate? {
        guard let value = fileValues[name], let text = Self.trimmed(value.text) else { return nil }
        return Candidate(
            text: text, origin: .file(path: value.path, key: value.key), isNested: value.isNested)
    }

    private mutating func read(_ candidate: Candidate, as setting: Setting) {
        let spelling = candidate.origin.spelling ?? setting.name.rawValue
        var text = candidate.text
        if case .unrelated = setting.status {
            entries[setting.name] = Settings.Entry(
                value: setting.kind.isSecret ? .secret(Secret(text)) : .text(text), origin: candidate.origin)
            return
        }
        if candidate.isNested, !setting.takesMaps {
            problems.append(
                ConfigurationError(.invalidValue, subject: spelling, detail: "must be one value, not a map or list"))
            return
        }
        if candidate.isFile {
            do throws(SystemError) {
                let bytes = try FileSystem.contents(text, limit: 1 << 20)
                guard let value = Self.trimmed(String(decoding: bytes, as: UTF8.self)) else {
                    problems.append(
                        ConfigurationError(.file, subject: spelling, detail: "the file \(text) is empty"))
                    return
                }
                text = value
            } catch {
                problems.append(ConfigurationError(.file, subject: spelling, detail: "\(error)"))
                return
            }
        }
        if setting.name == .accessKeyID || setting.name == .secretAccessKey { text = Self.withoutBlanks(text) }
        guard let value = SettingValue(text, setting.kind) else {
            let shown = setting.kind.mustBeMasked(text) ? "********" : "\"\(text)\""
            problems.append(
                ConfigurationError(
                    .invalidValue, subject: spelling, detail: "\(shown) is not allowed: must be \(setting.kind.allowed)"
                ))
            return
        }
        entries[setting.name] = Settings.Entry(value: value, origin: candidate.origin)
        guard !setting.isHarmless(value) else { return }
        switch setting.status {
        case .supported, .unrelated: break
        case .accepted(let reason):
            notices.append(SettingNotice(level: .information, message: "\(spelling): \(reason)"))
        case .warned(let reason): warn("\(spelling): \(reason)")
        case .refused(let reason):
            problems.append(ConfigurationError(.notAvailable, subject: spelling, detail: reason))
        }
    }

    private static func withoutBlanks(_ text: String) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    private mutating func warn(_ message: String) {
        notices.append(SettingNotice(level: .warning, message: message))
    }

    /// Rules over several settings.
    private mutating func checkTogether() {
        if let level = entries[.zstdLevel], entries[.compressionMethod]?.value != .text("zstd") {
            conflict(level, "needs WALG_COMPRESSION_METHOD=zstd")
        }
        if let sse = entries[.sse], sse.value == .text("aws:kms"), entries[.sseKMSID] == nil {
            conflict(sse, "aws:kms needs S3_SSE_KMS_ID")
        }
        if let key = entries[.sseKMSID], entries[.sse]?.value != .text("aws:kms") {
            conflict(key, "needs S3_SSE=aws:kms")
        }
        if let key = entries[.accessKeyID], entries[.secretAccessKey] == nil {
            conflict(key, "needs AWS_SECRET_ACCESS_KEY")
        }
        if let secret = entries[.secretAccessKey], entries[.accessKeyID] == nil {
            conflict(secret, "needs AWS_ACCESS_KEY_ID")
        }
    }

    private mutating func conflict(_ entry: Settings.Entry, _ detail: String) {
        let spelling = entry.origin.spelling ?? ""
        // A value that was refused already has no entry; its own problem says enough.
        problems.append(ConfigurationError(.conflict, subject: spelling, detail: detail))
    }

    private mutating func warnOfUnknownNames() {
        func isOurs(_ name: String) -> Bool { ["WALG_", "WALE_", "WALS_"].contains { name.hasPrefix($0) } }
        for name in environment.keys.filter(isOurs).sorted() where SettingTable.name(spelt: name) == nil {
            warn("\(name) in the environment is unknown\(Self.hint(name))")
        }
        for value in file?.values ?? [] where SettingTable.name(spelt: value.key) == nil {
            // An envdir directory holds variables of other programs too.
            if value.path != file?.path, !isOurs(SettingTable.capitals(value.key)) { continue }
            warn("\(value.key) in \(value.path) is unknown\(Self.hint(value.key))")
        }
    }

    private static func hint(_ name: String) -> String {
        SettingTable.nearest(to: name).map { ": did you mean \($0)?" } ?? ""
    }
}

extension Setting {
    /// Whether the value asks for what is done anyway.
    func isHarmless(_ value: SettingValue) -> Bool {
        (harmless + [defaultText].compactMap(\.self)).contains { SettingValue($0, kind) == value }
    }

    fileprivate var takesMaps: Bool {
        if case .refused = status { return true }
        return kind == .json || name == .requestAdditionalHeaders
    }
}

extension Setting.Kind {
    /// Whether an error may not show the value.
    fileprivate func mustBeMasked(_ text: String) -> Bool { isSecret || (self == .url && text.contains("@")) }
}
