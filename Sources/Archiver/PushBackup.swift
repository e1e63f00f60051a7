package import Bytes
import Glibc
import Postgres
package import Repository
import Server
package import Storage

/// Takes a full backup of a running server and stores it: the sentinel last, so that a backup exists whole or not.
///
/// The order is WAL-G's (walg.md, section 8.1). Whatever ends the run early ends the server's backup mode too, for that
/// belongs to the session.
package struct PushBackup: Sendable {
    let settings: PushBackupSettings
    let store: any ObjectStore
    let checkClaim: @Sendable (UInt64) async throws -> Void
    let progress: any ProgressReporting
    let log: Log
    let now: @Sendable () -> Timestamp

    /// `checkClaim` makes sure that the prefix is the cluster's with the given system identifier, or throws.
    package init(
        _ settings: PushBackupSettings, store: any ObjectStore,
        checkClaim: @escaping @Sendable (UInt64) async throws -> Void, progress: any ProgressReporting = NoProgress(),
        log: Log, now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.settings = settings
        self.store = store
        self.checkClaim = checkClaim
        self.progress = progress
        self.log = log
        self.now = now
    }

    /// Takes the backup and returns its name.
    package func run() async throws -> BackupName {
        log.info("Backup will be pushed to storage: default")
        let disk = BlockingExecutor(threads: settings.streams + 1)
        let session = try await withTaskExecutorPreference(disk) {
            try BackupSession(settings.connection, log: log)
        }
        do {
            let name = try await push(session, disk)
            await session.close()
            return name
        } catch {
            await session.close()
            throw error
        }
    }

    /// What is known of a backup from its start on.
    struct Running: Sendable {
        let session: BackupSession
        let disk: BlockingExecutor
        let directory: String
        let startTime: Timestamp
        let start: BackupStart
        let name: BackupName
        let lease: BackupLease
        let watch: BackupWatch
        let hostname: String

        var facts: ServerFacts { session.facts }
    }

    private func push(_ session: BackupSession, _ disk: BlockingExecutor) async throws -> BackupName {
        let facts = session.facts
        let startTime = now().roundedUpToMicrosecond
        let directory = try checkedDirectory(facts)
        try await checkClaim(facts.systemIdentifier)
        if let holder = try await session.takeLease() {
            throw ArchiverError(
                .busy, "backup-push: another backup-push of this server is under way, by \(holder). Nothing was stored")
        }
        warnOfArchiving(facts)
        let hostname = ClaimGuard.hostname()
        let holder = BackupLease.Holder.current(hostname: hostname)
        let (start, lease) = try await started(session, holder)
        let running = Running(
            session: session, disk: disk, directory: directory, startTime: startTime, start: start,
            name: BackupName(segment: start.segment), lease: lease,
            watch: BackupWatch(pingInterval: settings.pingInterval, renewal: BackupLease.renewal), hostname: hostname)
        log.info("Started backup with name \(running.name) at LSN \(start.lsn)")
        let debris = BackupDebris(store: store, holder: holder, log: log)
        do {
            try await withTaskExecutorPreference(disk) { try await fill(running) }
        } catch let doubt as SentinelInDoubt {
            progress.finished()
            await session.close()
            // With its sentinel stored, what would be removed is a backup.
            log.warning(
                "Whether \(Layout.sentinel("\(running.name)")) was stored is not known, so the objects of "
                    + "\(running.name) were left: if backup-list shows it, it is whole; if not, the next backup-push "
                    + "removes them")
            throw doubt.cause
        } catch {
            progress.finished()
            await session.close()
            if (error as? ArchiverError)?.kind != .conflict { await removeRest(of: running, debris) }
            throw error
        }
        do {
            await debris.abandonUploads(of: "\(running.name)")
            try await lease.release()
            try await debris.remove(now: now())
        } catch {
            log.warning("Leftovers of unfinished backups were not removed: \(error)")
        }
        return running.name
    }

    /// Removes what this run has stored, for a while; what stays is the next successful run's to remove.
    private func removeRest(of running: Running, _ debris: BackupDebris) async {
        // A task of its own: this one may be cancelled, and then does no requests.
        let limit = Task.isCancelled ? Duration.seconds(5) : .seconds(30)
        let removal = Task {
            try await withDeadline(limit, "the removal") {
                // Another run may have taken the name, if this one was asleep for long.
                try await running.lease.confirm()
                return try await debris.removeFolder("\(running.name)")
            }
        }
        do {
            _ = try await removal.value
        } catch {
            log.warning(
                "Objects of the unfinished backup \(running.name) stay until the next successful backup-push: \(error)")
        }
    }

    /// Starts the backup mode under a name that nothing is stored under.
    private func started(
        _ session: BackupSession, _ holder: BackupLease.Holder
    ) async throws -> (BackupStart, BackupLease) {
        for _ in 0..<5 {
            let start = try await session.start(label: "wal-s \(now())")
            let name = "\(BackupName(segment: start.segment))"
            if let lease = try await BackupLease.claim(name, holder: holder, store: store) { return (start, lease) }
            guard !session.facts.isInRecovery else {
                throw ArchiverError(
                    .conflict,
                    "backup-push: \(name) is already in \(store.location), and this standby cannot begin anywhere else "
                        + "until it has replayed another checkpoint of its primary; try again later")
            }
            log.info("\(name) is taken: starting again in the next segment")
            try await session.startOver()
        }
        throw ArchiverError(.conflict, "backup-push: found no free name for the backup in \(store.location)")
    }

    /// The data directory, links resolved, after making sure that it is this server's.
    private func checkedDirectory(_ facts: ServerFacts) throws -> String {
        let given = Path.absolute(settings.directory)
        let directory: String
        do throws(SystemError) {
            directory = try FileSystem.resolved(given)
        } catch {
            throw ArchiverError(
                .configuration, "backup-push: the data directory \(given) cannot be used: \(error.reason)")
        }
        let servers = (try? FileSystem.resolved(facts.dataDirectory)) ?? facts.dataDirectory
        guard directory == servers else {
            throw ArchiverError(
                .configuration,
                "backup-push: Data directory from command line '\(directory)' is not the same as Postgres' one "
                    + "'\(servers)'; give the directory of the server that PGHOST and PGPORT lead to")
        }
        if let expected = settings.segmentSize, expected != facts.segmentSize {
            throw ArchiverError(
                .configuration,
                "backup-push: the server's WAL segments have \(facts.segmentSize.byteCount >> 20) MiB, "
                    + "WALG_PG_WAL_SIZE says \(expected.byteCount >> 20)")
        }
        _ = try FileSystem.contents(Path.join(directory, "PG_VERSION"), limit: 4096)
        let control = try Self.readControlFile(directory)
        guard control.parsed.systemIdentifier == facts.systemIdentifier else {
            throw ArchiverError(
                .configuration,
                "backup-push: \(directory) is of the cluster \(control.parsed.systemIdentifier), the server's is "
                    + "\(facts.systemIdentifier)")
        }
        return directory
    }

    private func warnOfArchiving(_ facts: ServerFacts) {
        guard !facts.archives else { return }
        if facts.isInRecovery {
            log.info("A standby that does not archive: the WAL of the backup must come from its primary's archiving")
        } else {
            log.warning(
                "archive_mode is \(facts.archiveMode) or no archive_command is set: without the WAL written during the "
                    + "backup it cannot be restored")
        }
    }

    /// Runs `body` while the session is pinged and the mark renewed; whichever fails first ends it.
    func watched<Result: Sendable>(
        _ running: Running, pinging: Bool, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await running.watch.run(
                    ping: { if pinging { try await running.session.ping() } },
                    renew: { try await running.lease.renew() })
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// `pg_control`, read whole and unbroken: the server writes it in place.
    static func readControlFile(
        _ directory: String
    ) throws -> (contents: [UInt8], parsed: ControlFile, status: FileStatus) {
        let path = directory + BackupPlan.controlFile
        for attempt in 0... {
            guard let status = try FileSystem.status(path) else {
                throw ArchiverError(
                    .configuration, "backup-push: \(path) is not there: no data directory of PostgreSQL")
            }
            let contents = try FileSystem.contents(path, limit: 1 << 20)
            do throws(PostgresError) {
                return (contents, try ControlFile(parsing: contents), status)
            } catch {
                guard error.kind == .corrupted, attempt < 10 else { throw error }
                usleep(10_000)
            }
        }
        throw ArchiverError(.corrupted, "backup-push: \(path) cannot be read")
    }
}
