/// The settings page of the documentation, made of the setting table.
enum SettingsDocument {
    private static let introduction = """
        # Settings

        Made by `wal-s flags --markdown`; do not edit. `wal-s config show` prints what is in effect and where it comes from.

        A setting is given, in this order of precedence, as a flag (`WALG_S3_PREFIX` is `--walg-s3-prefix`), in the
        environment, or in a file: `--config`, else `WALG_CONFIG_PATH`, else `.walg.json`, `.walg.yaml` or `.walg.yml` in the
        home directory of the user. Files are JSON or YAML, one map of names and values, or an envdir directory. An empty value
        counts as unset; one that cannot be read is an error. Beside each secret `X`, `X_FILE` names a file that holds it; on the
        command line only that form should be used.

        """

    private static let chapters: [(title: String, settings: [Setting])] = [
        ("The archive", SettingTable.archive), ("S3", SettingTable.s3), ("PostgreSQL", SettingTable.server),
        ("WAL-S alone", SettingTable.own),
    ]

    /// The page, with a line end at its end.
    static func text() -> String {
        var text = introduction
        for (title, settings) in chapters { text += chapter(title, settings.filter { $0.status == .supported }) }
        let accepted = SettingTable.all.compactMap { setting -> String? in
            switch setting.status {
            case .accepted(let reason), .warned(let reason): row([names(setting), reason])
            case .supported, .refused, .unrelated: nil
            }
        }
        text += "\n## Accepted, without effect on what is stored\n\n"
        text += row(["name", "what is done instead"]) + row(["---", "---"]) + accepted.joined()
        let refused = SettingTable.all.compactMap { setting -> String? in
            guard case .refused(let reason) = setting.status else { return nil }
            return row([names(setting), reason, values(setting.harmless + [setting.defaultText].compactMap(\.self))])
        }
        text += "\n## Refused when set\n\n"
        text += row(["name", "why", "but not for"]) + row(["---", "---", "---"]) + refused.joined()
        return text
    }

    private static func chapter(_ title: String, _ settings: [Setting]) -> String {
        "\n## \(title)\n\n" + row(["name", "meaning", "values", "default"]) + row(["---", "---", "---", "---"])
            + settings.map { setting in
                row([
                    names(setting), setting.summary, setting.kind.allowed, setting.defaultText.map { "`\($0)`" } ?? "",
                ])
            }.joined()
    }

    /// The name, and other spellings than those with `WALG_` and `WALE_` before it.
    private static func names(_ setting: Setting) -> String {
        let main = setting.name.rawValue
        let others = setting.names.filter { name in
            name != main && !(setting.lookup != .exact && (name.hasPrefix("WALG_") || name.hasPrefix("WALE_")))
        }
        return values([main] + others)
    }

    private static func values(_ texts: [String]) -> String { texts.map { "`\($0)`" }.joined(separator: ", ") }

    private static func row(_ cells: [String]) -> String {
        "| " + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ") + " |\n"
    }
}
