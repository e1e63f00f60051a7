import Bytes
import TestSupport
import Testing

@testable import Commands

@Suite struct SettingTableTests {
    @Test func `every name has one row`() {
        #expect(SettingTable.all.map(\.name.rawValue).sorted() == SettingName.allCases.map(\.rawValue).sorted())
    }

    @Test func `no spelling belongs to two settings`() {
        var owners: [String: String] = [:]
        for setting in SettingTable.all {
            for name in setting.names {
                let earlier = owners.updateValue(setting.name.rawValue, forKey: name)
                #expect(earlier == nil, "\(name) is \(setting.name.rawValue) and \(earlier ?? "")")
            }
        }
    }

    @Test func `every default and every harmless value is one the setting takes`() {
        for setting in SettingTable.all {
            for text in setting.harmless + [setting.defaultText].compactMap({ $0 }) {
                #expect(SettingValue(text, setting.kind) != nil, "\(setting.name.rawValue)=\(text)")
            }
        }
    }

    @Test func `every setting is explained by a sentence`() {
        for setting in SettingTable.all {
            #expect(setting.summary.hasSuffix("."), "\(setting.name.rawValue)")
        }
    }

    /// Where the commands name a setting, apart from the table and the flags that are its spellings.
    private func mentions() throws -> [String: [String]] {
        var mentions: [String: [String]] = [:]
        let top = Path.join(SharedMaterial.packageRoot, "Sources/Commands")
        for folder in [top, top + "/Run", top + "/Settings"] {
            for file in try FileSystem.names(in: folder) where file.hasSuffix(".swift") {
                guard !file.hasPrefix("SettingTable"), !file.hasPrefix("SettingName") else { continue }
                let text = String(decoding: try FileSystem.contents(Path.join(folder, file)), as: UTF8.self)
                for word in text.split(separator: ".").map({ $0.prefix { $0.isLetter || $0.isNumber } }) {
                    mentions[String(word), default: []].append(file)
                }
            }
        }
        return mentions
    }

    @Test func `every supported setting is read, and none that changes nothing`() throws {
        let mentions = try mentions()
        // Flags that another run of the program is not given.
        let named: [SettingName: [String]] = [.useReverseUnpack: ["RestoreCommands.swift"]]
        for setting in SettingTable.all {
            let files = mentions["\(setting.name)"] ?? []
            let isServers = SettingTable.server.contains { $0.name == setting.name }
            if setting.status == .supported {
                #expect(isServers || !files.isEmpty, "\(setting.name.rawValue) is supported and read by nothing")
            } else {
                #expect(files == named[setting.name] ?? [], "\(setting.name.rawValue) is read and not supported")
            }
        }
    }

    /// The table of the server is read as a whole.
    @Test func `every supported setting of the connection reaches libpq`() {
        for setting in SettingTable.server where setting.status == .supported && setting.name != .pgData {
            let value = setting.kind == .integer(0...86400) ? "7" : setting.kind.firstChoice ?? "/value"
            guard !setting.kind.isSecret else { continue }
            let flag = SettingFlag(flag: "--x", spelling: setting.name.rawValue, value: value)
            let connection = SettingsLoader.load(flags: [flag], environment: [:], configPath: nil, home: nil)
                .connection()
            let told = Array(connection.parameters.values) + connection.variables.values.map(\.revealed)
            #expect(told == [value], "\(setting.name.rawValue)")
        }
    }

    /// Reads the names out of the tables of walg.md, 7.2 and 7.3.
    @Test(.enabled(if: SharedMaterial.has("reference/walg.md"), "needs ../shared/reference/walg.md"))
    func `every setting of WAL-G is known`() throws {
        let path = try #require(SharedMaterial.path("reference/walg.md"))
        let lines = String(decoding: try FileSystem.contents(path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasPrefix("### 7.2") })
        let end = try #require(lines.firstIndex { $0.hasPrefix("### 7.4") })
        var names: [String] = []
        for line in lines[start..<end] where line.hasPrefix("| ") {
            let cell = line.dropFirst(2).prefix { $0 != "|" }
            var base = ""
            for (index, quoted) in cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            where index % 2 == 1 {
                // `…_CACHE_EMA_ALIVE_LIMIT / DEAD_LIMIT / …` names the first in full only.
                for word in quoted.split(separator: " ").prefix(quoted.contains("/") ? 1 : .max) {
                    if word.hasPrefix("…") {
                        let tail = word.dropFirst()
                        // `…_KEY_PATH` continues the name before it; the tables of failover and envelope settings.
                        names.append(
                            base.hasPrefix("WALG_ENVELOPE") ? "WALG_ENVELOPE\(tail)" : "WALG_FAILOVER_STORAGES\(tail)")
                    } else if word.allSatisfy({ $0.isUppercase || $0.isNumber || $0 == "_" }),
                        word.contains("_") || word.hasPrefix("PG")
                    {
                        base = String(word)
                        names.append(base)
                    }
                }
            }
        }
        // `WALG_ENVELOPE_KEY_PATH` stands for the path of the key named before it.
        let known = names.filter { $0 != "WALG_ENVELOPE_KEY_PATH" && $0 != "S3_PREFIX" && !$0.hasSuffix("_") }
        #expect(known.count > 110)
        for name in known {
            #expect(SettingTable.name(spelt: name) != nil, "\(name) is not known")
        }
    }

    /// Source: conventions.md, section 4.
    @Test(arguments: [
        "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE",
        "PGSSLMODE", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT", "PGSSLCRL", "PGOPTIONS", "PGAPPNAME",
        "PGCONNECT_TIMEOUT", "PGCHANNELBINDING", "PGREQUIREAUTH", "PGTARGETSESSIONATTRS", "PGDATA",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
        "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE",
        "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION", "AWS_SECRET_ACCESS_KEY_FILE",
    ])
    func `the names of libpq and the AWS SDK are known`(name: String) {
        #expect(SettingTable.name(spelt: name) != nil)
    }
}

extension Setting.Kind {
    fileprivate var firstChoice: String? {
        guard case .choice(let words) = self else { return nil }
        return words.first
    }
}

@Suite struct SettingsDocumentTests {
    @Test func `the settings page is the one that the table makes`() throws {
        let page = Path.join(SharedMaterial.packageRoot, "docs/settings.md")
        let text = String(decoding: try FileSystem.contents(page), as: UTF8.self)
        #expect(text == SettingsDocument.text(), "make it again: wal-s flags --markdown > docs/settings.md")
    }
}
