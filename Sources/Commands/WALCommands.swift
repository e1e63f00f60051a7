import Archiver
import Bytes
import Glibc
import Postgres
import Storage
import Streams

/// What PostgreSQL calls: wal-push, wal-fetch, and the prefetcher that wal-fetch starts.
enum WALCommands {
    static func push(_ context: CommandContext) async throws {
        guard let path = context.argument(0) else { return }
        let settings = context.settings
        let store = try context.openStore(retryBudget: retryBudget(settings.duration(.pushDeadline)))
        var options = PushWAL.Options(compression: context.compression)
        options.expectedSegmentSize = context.expectedSegmentSize
        options.allowAnyName = settings.bool(.pushAnyFile)
        options.totalFiles = settings.integer(.totalBackgroundUploadedLimit)
        options.concurrency = settings.integer(.uploadConcurrency)
        options.partSize = settings.integer(.maxPartSize)
        options.memoryLimit = settings.integer(.memoryLimit) / 8 * 5
        options.deadline = settings.duration(.pushDeadline)
        options.dataDirectory = settings.text(.pgData)
        let push = PushWAL(
            store: store, state: context.localState(for: store), options: options, log: context.log)
        try await push.run(path: path)
    }

    static func fetch(_ context: CommandContext) async throws {
        guard let name = context.argument(0), let destination = context.argument(1) else { return }
        let settings = context.settings
        let store = try context.openStore(retryBudget: retryBudget(settings.duration(.fetchDeadline)))
        let directory = context.edge.workingDirectory
        var options = FetchWAL.Options(mode: mode(context), method: context.compression.method)
        options.expectedSegmentSize = context.expectedSegmentSize
        options.allowAnyName = settings.bool(.pushAnyFile)
        options.allowGap = context.has(.allowGap)
        options.dataDirectory = directory
        options.deadline = settings.duration(.fetchDeadline)
        let prefetched = prefetchDirectory(context, store)
        let fetch = FetchWAL(
            store: store, state: context.localState(for: store), prefetched: prefetched, options: options,
            log: context.log)
        let segment = WALSegmentName(name)
        if let prefetched, segment != nil, RecoveryMode.detect(in: directory) != .none {
            prefetched.setPosition(name)
            if !prefetched.isLocked() { startPrefetcher(context, name, destination) }
        }
        if let prefetched, segment == nil, RecoveryMode.detect(in: directory) == .none { prefetched.clear() }
        try await fetch.run(name, to: destination)
    }

    static func prefetch(_ context: CommandContext) async throws {
        let store = try context.openStore()
        guard let directory = prefetchDirectory(context, store),
            let control = LocalCluster.controlFile(in: context.edge.workingDirectory)
        else { return }
        let count = context.settings.integer(.downloadConcurrency)
        try await Prefetch(
            store: store, directory: directory, method: context.compression.method, count: count,
            concurrency: min(count, 4), systemIdentifier: control.systemIdentifier,
            size: context.expectedSegmentSize ?? control.segmentSize, log: context.log
        ).run()
    }

    /// Retries end before the deadline does, so that the store's own error is the one that is told.
    private static func retryBudget(_ deadline: Duration) -> Duration { min(deadline * 0.7, .seconds(45)) }

    private static func mode(_ context: CommandContext) -> RecoveryMode {
        let detected = RecoveryMode.detect(in: context.edge.workingDirectory)
        if context.has(.strict) { return detected == .standby ? .oneShot : detected }
        return context.has(.standby) ? .standby : detected
    }

    /// Where segments fetched ahead lie; nil when prefetching is off (WALG_DOWNLOAD_CONCURRENCY=1) or the working
    /// directory is no data directory.
    private static func prefetchDirectory(_ context: CommandContext, _ store: any ObjectStore) -> PrefetchDirectory? {
        guard context.settings.integer(.downloadConcurrency) > 1,
            let control = LocalCluster.controlFile(in: context.edge.workingDirectory)
        else { return nil }
        let base: String
        if let chosen = context.settings.text(.prefetchDirectory) {
            base = Path.join(chosen, ".wal-g/prefetch")
        } else if let state = context.localState(for: store).subdirectory("prefetch") {
            base = state
        } else {
            return nil
        }
        do {
            return try PrefetchDirectory(
                base: base, location: store.location, systemIdentifier: control.systemIdentifier,
                dataDirectory: context.edge.workingDirectory)
        } catch {
            context.log.warning("nothing is prefetched: \(error)")
            return nil
        }
    }

    private static func startPrefetcher(_ context: CommandContext, _ name: String, _ destination: String) {
        do {
            try DetachedProcess.start(
                "/proc/self/exe",
                [context.edge.programName, "wal-prefetch"] + context.settingArguments + [name, destination])
        } catch {
            context.log.debug("no prefetcher: \(error)")
        }
    }
}
