/// `backup-list`: what can be restored.
enum BackupListCommand {
    static func run(_ context: CommandContext) async throws {
        let options = BackupListOutput.Options(
            isPretty: context.has(.pretty), isJSON: context.has(.listJSON), isDetailed: context.has(.detail))
        let rows = try await BackupListOutput.rows(of: try context.openStore(), options, log: context.log)
        try context.print(BackupListOutput.text(rows, options))
    }
}
