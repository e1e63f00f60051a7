import Archiver
import Bytes
import Glibc
import Server
import Storage

/// `backup-push`: settings and flags to a backup.
enum BackupCommands {
    /// Takes a full backup of the server.
    static let push: CommandHandler = { context in
        let settings = try pushSettings(context)
        let store = try context.openStore(retryBudget: CommandContext.longRetryBudget)
        // Without hints of earlier runs: a backup is worth a request. The first one, so that wrong settings tell soon.
        let claim = ClaimGuard(
            store: try context.openStore(), state: LocalState(base: nil, location: ""), log: context.log)
        let push = PushBackup(
            settings, store: store, checkClaim: { try await claim.check(systemIdentifier: $0) },
            progress: context.progress("backup-push"), log: context.log)
        _ = try await push.run()
    }

    static func pushSettings(_ context: CommandContext) throws -> PushBackupSettings {
        let settings = context.settings
        guard let directory = context.argument(0) ?? settings.text(.pgData), !directory.isEmpty else {
            throw ArchiverError(
                .usage,
                "backup-push needs the data directory: give it as argument or set PGDATA; "
                    + "backups over the network alone are not available in this version")
        }
        var push = PushBackupSettings(
            directory: directory, connection: settings.connection(), compression: context.compression,
            streams: settings.integerIfAny(.uploadDiskConcurrency) ?? min(16, processorCount))
        push.tarSizeThreshold = settings.integer(.tarSizeThreshold)
        if settings.isSet(.maxPartSize) { push.partSize = settings.integerIfAny(.maxPartSize) }
        // The rest is for the codecs, the lists of files and the program itself.
        push.memoryLimit = settings.integer(.memoryLimit) / 8 * 5
        push.isPermanent = context.has(.permanent)
        push.userData = try settings.text(.sentinelUserData).map { try JSONValue.parse(Array($0.utf8)) }
        push.verifiesPages = settings.bool(.verifyPageChecksums)
        push.storesAllDamagedPages = settings.bool(.storeAllCorruptBlocks)
        push.storesDatabases = !settings.bool(.disablePartialRestore)
        push.storesFilesMetadata = !settings.bool(.withoutFilesMetadata)
        let timeout = settings.duration(.stopBackupTimeout)
        push.stopTimeout = timeout == .zero ? nil : timeout
        push.pingInterval = settings.duration(.aliveCheckInterval)
        push.segmentSize = context.expectedSegmentSize
        return push
    }

    private static var processorCount: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}
