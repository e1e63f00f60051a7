import Bytes

/// `config show`: what the program understood of its settings.
enum ConfigCommand {
    private struct Row {
        let name: String
        let value: String
        let origin: String
        let note: String
    }

    /// Prints each setting in effect; ends as a failure when they cannot be used.
    static let show: CommandHandler = { context in
        let rows = SettingTable.all.compactMap { row($0, context.settings) }
        try context.print(context.has(.json) ? json(rows, context.settings) : text(rows, context.settings))
        try context.settings.check()
    }

    private static func row(_ setting: Setting, _ settings: Settings) -> Row? {
        // A default that changes nothing here would only be noise.
        guard settings.isSet(setting.name) || setting.status == .supported,
            let entry = settings.entry(setting.name)
        else { return nil }
        return Row(
            name: setting.name.rawValue, value: entry.value.displayed, origin: entry.origin.description,
            note: note(setting, entry))
    }

    private static func note(_ setting: Setting, _ entry: Settings.Entry) -> String {
        guard !setting.isHarmless(entry.value) else { return "" }
        switch setting.status {
        case .supported: return ""
        case .accepted(let reason), .warned(let reason): return "accepted: \(reason)"
        case .refused(let reason): return "refused: \(reason)"
        case .unrelated(let reason): return "not used: \(reason)"
        }
    }

    private static func text(_ rows: [Row], _ settings: Settings) -> String {
        let nameWidth = rows.map(\.name.utf8.count).max() ?? 0
        let valueWidth = min(48, rows.map(\.value.utf8.count).max() ?? 0)
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.utf8.count))
        }
        var result = ""
        for row in rows {
            result += "\(padded(row.name, nameWidth)) = \(padded(row.value, valueWidth))  \(row.origin)"
            if !row.note.isEmpty { result += "; \(row.note)" }
            result += "\n"
        }
        result += settings.notices.filter { $0.level == .warning }.map { "warning: \($0.message)\n" }.joined()
        return result + settings.problems.map { "problem: \($0)\n" }.joined()
    }

    private static func json(_ rows: [Row], _ settings: Settings) -> String {
        func member(_ name: String, _ text: String) -> JSONMember { JSONMember(name, .string(text)) }
        let document = JSONValue.object([
            JSONMember("version", .number("1")),
            JSONMember("file", settings.file.map { .string($0) } ?? .null),
            JSONMember(
                "settings",
                .array(
                    rows.map { row in
                        .object([
                            member("name", row.name), member("value", row.value), member("origin", row.origin),
                            member("note", row.note),
                        ])
                    })),
            JSONMember(
                "warnings",
                .array(settings.notices.filter { $0.level == .warning }.map { .string($0.message) })),
            JSONMember("problems", .array(settings.problems.map { .string($0.description) })),
        ])
        return String(decoding: JSONWriter.bytes(of: document, indent: "  "), as: UTF8.self) + "\n"
    }
}
