import Bytes
import Glibc

/// How the process should end.
package enum Ending: Equatable, Sendable {
    case code(Int32)
    /// Die by this signal, so that the parent sees it.
    case signal(Int32)
}

/// One run of the program: understands the line, loads the settings, does the command, answers for the failure.
package struct Program: Sendable {
    private let edge: Edge
    private let table: CommandTable

    package init(edge: Edge, table: CommandTable = .standard) {
        self.edge = edge
        self.table = table
    }

    /// Runs the words of this process's command line; the value is the exit code.
    package static func main(_ line: [String]) async -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let interruption = Interruption()
        interruption.begin()
        let edge = Edge.process(programPath: line.first ?? "wal-s")
        let ending = await Program(edge: edge).run(Array(line.dropFirst()), interruption)
        switch ending {
        case .code(let code): return code
        case .signal(let signal):
            Interruption.die(by: signal)
            return 128 + signal
        }
    }

    /// Runs a command line, without the program's name.
    package func run(_ words: [String]) async -> Ending { await run(words, nil) }

    private func run(_ words: [String], _ interruption: Interruption?) async -> Ending {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try ArgumentParser.parse(words, table: table)
        } catch {
            return refuse(error, words)
        }
        if let ending = inform(invocation) { return ending }
        guard let command = invocation.command, let handler = command.run else { return .code(0) }
        let settings = SettingsLoader.load(
            flags: invocation.settings, environment: edge.environment, configPath: invocation.value(.config),
            home: edge.home)
        let codes = exitCodes(command.name, invocation, settings)
        var log = Log(sink: { [edge] in edge.errorOutput($0 + "\n") })
        do {
            log = try LogFactory(settings: settings, edge: edge).log(command: command.name)
            if command.needsSettings {
                try settings.check()
                announce(settings, command, log)
            }
            let context = CommandContext(
                invocation: invocation, settings: settings, log: log, edge: edge, table: table)
            try await perform(handler, context, interruption)
            return .code(0)
        } catch {
            var failure = Failure(error)
            // Whatever a cancelled command throws, the signal is the reason.
            if let signal = interruption?.taken { failure = .interrupted(signal) }
            return FinalWord(edge: edge, log: log, codes: codes).end("\(error)", failure)
        }
    }

    private func perform(
        _ handler: @escaping CommandHandler, _ context: CommandContext, _ interruption: Interruption?
    ) async throws {
        guard let interruption else { return try await handler(context) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await handler(context)
                return true
            }
            group.addTask { await interruption.signal() == nil }
            defer { interruption.end() }
            guard let finished = try await group.next() else { return }
            if !finished {
                group.cancelAll()
                // The command ends its uploads and tells by its error; a command that ended well all the same has.
                _ = try await group.next()
            } else {
                interruption.end()
            }
        }
    }

    /// Help and version, which need no settings.
    private func inform(_ invocation: Invocation) -> Ending? {
        let text: String
        if invocation.has(.help) || (invocation.command == nil && !invocation.has(.version)) {
            text = Help(table: table, program: edge.programName).text(for: invocation.words)
        } else if invocation.command == nil {
            text = invocation.has(.json) ? Version.json() : Version.line(program: edge.programName)
        } else {
            return nil
        }
        do {
            try edge.output(text)
            return .code(0)
        } catch {
            edge.errorOutput("ERROR: \(error)\n")
            return .code(1)
        }
    }

    private func announce(_ settings: Settings, _ command: Command, _ log: Log) {
        // wal-fetch is asked for what is not there all the time and has to be quiet.
        let isQuiet = command.name == "wal-fetch" || command.name == "wal-prefetch"
        for notice in settings.notices {
            switch notice.level {
            case .warning: log.warning(notice.message)
            case .information: isQuiet ? log.debug(notice.message) : log.info(notice.message)
            }
        }
    }

    private func refuse(_ error: UsageError, _ words: [String]) -> Ending {
        let isJSON = words.contains("--log-format=json") || edge.environment[SettingName.logFormat.rawValue] == "json"
        let log = Log(
            format: isJSON ? .json : .text, command: error.command, sink: { [edge] in edge.errorOutput($0 + "\n") })
        // A word for wal-fetch anywhere: PostgreSQL is asking, and may promote on a code below 126.
        var name = error.command
        if words.contains("wal-fetch") { name = "wal-fetch" } else if words.contains("wal-push") { name = "wal-push" }
        if error.kind == .unknownCommand, signalFile("recovery"), !signalFile("standby") { name = "wal-fetch" }
        let settings = Settings(entries: [:])
        let codes = exitCodes(name, nil, settings)
        let see = error.command.isEmpty ? "" : error.command + " "
        let message = "\(error); see: \(edge.programName) \(see)--help"
        return FinalWord(edge: edge, log: log, codes: codes).end(message, .usage)
    }

    private func exitCodes(_ command: String, _ invocation: Invocation?, _ settings: Settings) -> ExitCodes {
        // Also when the settings could not be loaded.
        let variable = edge.environment[SettingName.fetchErrorExit.rawValue].flatMap { Int($0) }
        let number = (settings.integerIfAny(.fetchErrorExit) ?? variable).flatMap {
            (1...255).contains($0) ? Int32($0) : nil
        }
        let rule: ExitCodes.Rule
        switch command {
        case "wal-push": rule = .push
        case "wal-fetch":
            if invocation?.has(.strict) == true {
                rule = .fetch
            } else if invocation?.has(.standby) == true || signalFile("standby") {
                rule = .standbyFetch
            } else {
                rule = .fetch
            }
        default: rule = .other
        }
        return ExitCodes(rule, isWALG: edge.isWALG, fetchError: number)
    }

    private func signalFile(_ name: String) -> Bool {
        let path = Path.join(edge.workingDirectory, name + ".signal")
        return ((try? FileSystem.linkStatus(path)) ?? nil) != nil
    }
}
