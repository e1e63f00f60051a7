import Archiver
import Bytes
import Repository

/// `backup-fetch`: settings and flags to a restore, and what to do after it.
enum RestoreCommands {
    /// A restore spec is a few lines; this is far more than any has.
    private static let specLimit = 16 << 20

    /// Restores a backup and prints the next steps on standard error.
    static let fetch: CommandHandler = { context in
        let settings = try restoreSettings(context)
        let store = try context.openStore(retryBudget: CommandContext.longRetryBudget)
        let fetch = FetchBackup(settings, store: store, log: context.log, progress: context.progress("backup-fetch"))
        let outcome = try await fetch.run()
        let text = try nextSteps(context).text(outcome)
        if context.log.format == .text {
            context.edge.errorOutput(text + "\n")
        } else {
            context.log.info(text)
        }
    }

    static func restoreSettings(_ context: CommandContext) throws -> RestoreSettings {
        guard let destination = context.argument(0), !destination.isEmpty else {
            throw ArchiverError(.usage, "backup-fetch needs a destination directory")
        }
        var settings = RestoreSettings(destination: destination, selection: try selection(context))
        if let mask = context.value(.mask) { settings.mask = try FileMask(mask) }
        if let path = context.value(.restoreSpec) {
            settings.tablespaces = try spec(path)
        }
        settings.concurrency = context.settings.integer(.downloadConcurrency)
        settings.memoryLimit = context.settings.integer(.memoryLimit)
        settings.retries = context.settings.integer(.downloadFileRetries)
        settings.syncs = !context.settings.bool(.tarDisableFsync)
        return settings
    }

    private static func spec(_ path: String) throws -> TablespaceSpec {
        let bytes = try FileSystem.contents(path, limit: specLimit)
        do {
            return try TablespaceSpec(parsing: bytes, source: path)
        } catch {
            throw ArchiverError(.configuration, "--restore-spec \(error)")
        }
    }

    private static func selection(_ context: CommandContext) throws -> BackupSelection {
        let userData = context.settings.text(.fetchTargetUserData)
        switch (context.argument(1), userData) {
        case (let name?, nil): return name == "LATEST" ? .latest : .name(name)
        case (nil, let userData?): return .userData(try JSONValue.parse(Array(userData.utf8)))
        case (nil, nil):
            throw ArchiverError(.usage, "backup-fetch needs a backup name, LATEST, or --target-user-data")
        case (_?, _?):
            let origin = context.settings.entry(.fetchTargetUserData)?.origin.description ?? "the settings"
            throw ArchiverError(
                .usage, "backup-fetch takes a backup name or user data, not both; the user data is from \(origin)")
        }
    }

    /// How this very program is called again, by the server.
    static func nextSteps(_ context: CommandContext) throws -> RestoreNextSteps {
        // Settings of this command alone mean nothing to wal-fetch.
        let own: Set<String> = [SettingName.fetchTargetUserData.rawValue, SettingName.useReverseUnpack.rawValue]
        let given = context.invocation.settings.filter { !own.contains($0.spelling) && !$0.flag.isEmpty }
        var flags = given.map { "--\(Setting.flagName($0.spelling))=\($0.value)" }
        if let file = context.settings.file { flags.insert("--config=\(Path.absolute(file))", at: 0) }
        let names = SettingName.allCases.compactMap { name -> String? in
            // The connection is of no use to wal-fetch.
            guard !own.contains(name.rawValue), !name.rawValue.hasPrefix("PG"),
                case .environment(let spelling)? = context.settings.entry(name)?.origin
            else { return nil }
            return spelling
        }
        let executable = (try? FileSystem.linkTarget("/proc/self/exe")) ?? "wal-s"
        return RestoreNextSteps(executable: executable, flags: flags, environmentNames: names)
    }
}
