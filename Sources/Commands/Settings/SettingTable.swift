/// Every setting the program knows.
///
/// Parsing, checking, `config show`, `flags` and the hidden command-line flags are made from it.
package enum SettingTable {
    package static let all: [Setting] = archive + s3 + server + own + encryption + other

    /// The row of each name.
    private static let rows: [SettingName: Setting] = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// Every spelling, in capitals, with the name it stands for.
    private static let spellings: [String: SettingName] = {
        var spellings: [String: SettingName] = [:]
        for setting in all {
            for spelling in setting.names {
                spellings[spelling] = setting.name
                if setting.kind.isSecret && spellings[spelling + "_FILE"] == nil {
                    spellings[spelling + "_FILE"] = setting.name
                }
            }
        }
        return spellings
    }()

    /// The row of a setting.
    package static func setting(_ name: SettingName) -> Setting {
        guard let row = rows[name] else { preconditionFailure("no row for \(name.rawValue)") }
        return row
    }

    /// The setting a spelling stands for, `X_FILE` of a secret included; letter case does not count.
    package static func name(spelt spelling: String) -> SettingName? { spellings[capitals(spelling)] }

    /// The known spelling nearest to a misspelt one; nil when none is near.
    package static func nearest(to spelling: String) -> String? {
        Suggestion.nearest(to: capitals(spelling), in: spellings.keys.sorted())
    }

    static func capitals(_ text: String) -> String {
        String(decoding: text.utf8.map(asciiUppercased), as: UTF8.self)
    }
}
