/// Understands a command line by the table of commands.
///
/// The forms are those of the GNU and of WAL-G: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, short
/// flags joined in one word, `--` before words that are no flags. Flags may stand before, between and after arguments;
/// a command's own ones after its name.
package struct ArgumentParser {
    private let table: CommandTable
    private var words: [String] = []
    private var command: Command?
    private var arguments: [String] = []
    private var values: [String: [String]] = [:]
    private var settings: [SettingFlag] = []

    private init(_ table: CommandTable) { self.table = table }

    /// Understands the words after the program's name.
    package static func parse(
        _ words: [String], table: CommandTable
    ) throws(UsageError) -> Invocation {
        var parser = ArgumentParser(table)
        try parser.take(words)
        return Invocation(
            command: parser.command, words: parser.words, arguments: parser.arguments, values: parser.values,
            settings: parser.settings)
    }

    private mutating func take(_ line: [String]) throws(UsageError) {
        var rest = line[...]
        while let word = rest.popFirst() {
            if word == "--" {
                for argument in rest { try takeWord(argument) }
                break
            }
            if word.hasPrefix("--") {
                try takeLong(word, &rest)
            } else if word.hasPrefix("-") && word != "-" {
                try takeShort(word, &rest)
            } else {
                try takeWord(word)
                // What follows a command that is not built is not looked at, but for a wish for help.
                if let command, !command.isAvailable, !line.contains("--help"), !line.contains("-h") {
                    throw notAvailable(command)
                }
            }
        }
        guard !has(.help), !(command == nil && has(.version)) else { return }
        guard let command else {
            if words.isEmpty { return }
            // A group such as `config` alone.
            throw fail(.wrongArguments, "which one: \(table.children(of: words).joined(separator: ", "))?")
        }
        guard command.isAvailable else { throw notAvailable(command) }
        try checkCount(command)
    }

    private func has(_ flag: Flag) -> Bool { values[flag.long]?.last == "true" }

    private mutating func takeWord(_ word: String) throws(UsageError) {
        guard command == nil else {
            arguments.append(word)
            return
        }
        let path = words + [word]
        if let found = table.command(path) {
            // `help` takes the words of any command as its arguments.
            words = path
            command = found
            return
        }
        if !table.children(of: path).isEmpty {
            words = path
            return
        }
        let candidates = table.children(of: words)
        let hint = Suggestion.nearest(to: word, in: candidates).map {
            ", did you mean \"\((words + [$0]).joined(separator: " "))\"?"
        }
        throw fail(.unknownCommand, "unknown command \"\(path.joined(separator: " "))\"" + (hint ?? ""))
    }

    private mutating func takeLong(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
        let body = word.dropFirst(2)
        let equals = body.firstIndex(of: "=")
        let name = String(equals.map { body[..<$0] } ?? body)
        let attached = equals.map { String(body[body.index(after: $0)...]) }
        if let flag = known.first(where: { $0.long == name }) {
            try take(flag, "--" + name, attached, &rest)
        } else if let spelling = settingSpelling(name) {
            try takeSetting(spelling, "--" + name, attached, &rest)
        } else {
            throw unknown("--" + name)
        }
    }

    private mutating func takeShort(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let flag = known.first(where: { $0.short == letter }) else { throw unknown("-\(letter)") }
            if letters.first == "=" {
                try take(flag, "-\(letter)", String(letters.dropFirst()), &rest)
                return
            }
            if flag.value != .none, !letters.isEmpty {
                try take(flag, "-\(letter)", String(letters), &rest)
                return
            }
            try take(flag, "-\(letter)", nil, &rest)
        }
    }

    /// The flags that may stand here.
    private var known: [Flag] {
        var flags = (command?.flags ?? []) + Flag.global
        if words.isEmpty { flags += [.version, .json] }
        return flags
    }

    private mutating func take(
        _ flag: Flag, _ typed: String, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        guard flag.isAvailable else {
            throw fail(.notAvailable, "\(typed) is not available in this version")
        }
        let value: String
        if flag.value == .none {
            guard let parsed = attached.map({ SettingValue.bool($0) }) ?? true else {
                throw fail(.invalidValue, "\(typed) is given or not, or is true or false; not \"\(attached ?? "")\"")
            }
            value = parsed ? "true" : "false"
        } else {
            guard let given = attached ?? rest.popFirst() else {
                throw fail(.missingValue, "\(typed) needs a value\(flag.valueHint)")
            }
            value = given
        }
        if case .choice(let words) = flag.value, !words.contains(value) {
            throw fail(.invalidValue, "\(typed) must be one of \(words.joined(separator: ", ")), not \"\(value)\"")
        }
        if let setting = flag.setting {
            settings.append(SettingFlag(flag: typed, spelling: setting.rawValue, value: value))
        }
        values[flag.long, default: []].append(value)
    }

    /// The setting that `--lower-case-name` stands for.
    private func settingSpelling(_ flagName: String) -> String? {
        guard flagName == Setting.flagName(flagName), !flagName.contains("_") else { return nil }
        let spelling = SettingTable.capitals(
            String(decoding: flagName.utf8.map { $0 == 0x2D ? 0x5F : $0 }, as: UTF8.self))
        return SettingTable.name(spelt: spelling) == nil ? nil : spelling
    }

    private mutating func takeSetting(
        _ spelling: String, _ typed: String, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        if let name = SettingTable.name(spelt: spelling) {
            let setting = SettingTable.setting(name)
            // A command line can be read by every user of the machine.
            if setting.kind.isSecret, setting.names.contains(spelling) {
                throw fail(
                    .invalidValue,
                    "\(typed) would show a secret to every user of this machine: set \(spelling) in the environment "
                        + "or the configuration file, or give a file with \(typed)-file")
            }
        }
        guard let value = attached ?? rest.popFirst() else { throw fail(.missingValue, "\(typed) needs a value") }
        settings.append(SettingFlag(flag: typed, spelling: spelling, value: value))
    }

    private func unknown(_ typed: String) -> UsageError {
        let place = words.isEmpty ? "" : " of \(words.joined(separator: " "))"
        let name = String(typed.drop { $0 == "-" })
        let owners = table.commands.filter { command in
            command.flags.contains { $0.long == name || ("-" + String($0.short ?? " ")) == typed }
        }
        if command == nil, let owner = owners.first {
            return fail(.unknownFlag, "\(typed) belongs to \(owner.name): write it after the command's name")
        }
        guard typed.hasPrefix("--") else { return fail(.unknownFlag, "unknown flag \(typed)\(place)") }
        let candidates = known.filter { !$0.isHidden }.map(\.long)
        let nearest =
            Suggestion.nearest(to: name, in: candidates)
            ?? SettingTable.nearest(to: String(decoding: name.utf8.map { $0 == 0x2D ? 0x5F : $0 }, as: UTF8.self))
            .map(Setting.flagName)
        return fail(
            .unknownFlag, "unknown flag \(typed)\(place)" + (nearest.map { ", did you mean --\($0)?" } ?? ""))
    }

    private func checkCount(_ command: Command) throws(UsageError) {
        let least = command.leastArguments
        let most = command.mostArguments
        guard arguments.count < least || arguments.count > most ?? .max else { return }
        let usage = ([command.name] + command.arguments.map(\.usage)).joined(separator: " ")
        let wanted = least == most ? "\(least)" : most.map { "\(least) to \($0)" } ?? "at least \(least)"
        throw fail(
            .wrongArguments,
            "\(command.name) takes \(wanted) argument\(wanted == "1" ? "" : "s"), not \(arguments.count): \(usage)")
    }

    private func notAvailable(_ command: Command) -> UsageError {
        fail(.notAvailable, "\(command.name) is not available in this version")
    }

    private func fail(_ kind: UsageError.Kind, _ message: String) -> UsageError {
        UsageError(kind, command: words.joined(separator: " "), message)
    }
}

extension Flag {
    fileprivate var valueHint: String {
        switch value {
        case .none: ""
        case .text(let word): ": \(word)"
        case .choice(let words): ": " + words.joined(separator: ", ")
        }
    }
}
