package import Bytes
package import Postgres

/// Where a backup begins, as the server says.
package struct BackupStart: Equatable, Sendable {
    package let lsn: LSN
    /// The segment that gives the backup its name.
    package let segment: WALSegmentName
}

/// What the server hands over at the end of a backup.
package struct BackupStop: Equatable, Sendable {
    package let lsn: LSN
    /// The contents of `backup_label`.
    package let label: [UInt8]
    /// The contents of `tablespace_map`; empty without tablespaces.
    package let tablespaceMap: [UInt8]
}

/// The session that holds the server in backup mode.
///
/// Its statements run on a thread of its own. Closing it, or losing it, ends the backup mode: PostgreSQL forgets a
/// backup whose session is gone. PostgreSQL 13 and 14 name the functions differently from 15 on.
package actor BackupSession {
    /// The advisory lock that one backup-push of a cluster holds: `WALSPUSH` in ASCII.
    package static let leaseKey: Int64 = 0x5741_4C53_5055_5348

    package nonisolated let facts: ServerFacts
    private nonisolated let thread: ServerThread
    private let settings: ConnectionSettings
    private let log: Log
    private var connection: Connection?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Connects and asks the server about itself.
    ///
    /// Blocks for as long as connecting takes: call it on a thread that may.
    package init(_ settings: ConnectionSettings, log: Log) throws(ServerError) {
        let connection = try Connection(settings)
        facts = try ServerFacts.read(connection)
        thread = ServerThread()
        self.settings = settings
        self.log = log
        self.connection = connection
    }

    private func open(_ operation: String) throws(ServerError) -> Connection {
        guard let connection else {
            throw ServerError(.connectionLost, operation: operation, message: "the session is closed")
        }
        return connection
    }

    /// Ends the session, and with it the backup mode.
    package func close() { connection = nil }

    /// Takes the lease of the cluster: nil when it is ours, else who has it.
    ///
    /// It is an advisory lock of the session's database: it ends with the session, however that ends.
    package func takeLease() throws(ServerError) -> String? {
        let operation = "taking the backup lease"
        let connection = try open(operation)
        let key = String(Self.leaseKey)
        let rows = try connection.query("SELECT pg_try_advisory_lock($1::bigint)", [key], operation: operation)
        if rows.first?.first == "t" { return nil }
        let holders = try connection.query(
            """
            SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'this host'), a.backend_start
              FROM pg_locks l JOIN pg_stat_activity a USING (pid)
             WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint
            """, [key], operation: operation)
        guard let holder = holders.first else { return "a session that has just ended" }
        let texts = holder.map { $0 ?? "?" }
        return "session \(texts[0]) (\(texts[1]), from \(texts[2]), since \(texts[3]))"
    }

    /// Starts the backup with a fast checkpoint.
    ///
    /// On a primary the name comes from the server; on a standby it is the segment of the byte before the start, on the
    /// timeline of the last restart point, which is WAL-G's rule.
    package func start(label: String) throws(ServerError) -> BackupStart {
        let operation = "starting the backup"
        let connection = try open(operation)
        let call =
            facts.version >= 150_000 ? "pg_backup_start($1, fast => true)" : "pg_start_backup($1, true, false)"
        let rows = try connection.query("SELECT \(call)", [label], operation: operation)
        guard let text = rows.first?.first ?? nil, let lsn = LSN(text) else {
            throw ServerError(.unexpectedAnswer, operation: operation, message: "no start position in the answer")
        }
        if facts.isInRecovery {
            let segment = WALSegmentName.containing(
                LSN(rawValue: lsn.rawValue - 1), timeline: try timeline(), size: facts.segmentSize)
            return BackupStart(lsn: lsn, segment: segment)
        }
        let names = try connection.query("SELECT pg_walfile_name($1::pg_lsn)", [text], operation: operation)
        guard let name = names.first?.first ?? nil, let segment = WALSegmentName(name) else {
            throw ServerError(.unexpectedAnswer, operation: operation, message: "no segment name in the answer")
        }
        return BackupStart(lsn: lsn, segment: segment)
    }

    /// Ends the backup and waits until the server has archived the WAL it needs.
    ///
    /// While it waits, messages say for what, and what the archiver last failed at. nil waits for ever.
    package func stop(timeout: Duration?, remindEvery interval: Duration = .seconds(60)) throws(ServerError)
        -> BackupStop
    {
        let operation = "stopping the backup"
        let connection = try open(operation)
        let call =
            facts.version >= 150_000
            ? "pg_backup_stop(wait_for_archive => true)" : "pg_stop_backup(false, wait_for_archive => true)"
        var next = min(interval, Duration.seconds(10))
        do throws(ServerError) {
            let rows = try connection.query(
                "SELECT lsn, labelfile, spcmapfile FROM \(call)", operation: operation, deadline: timeout
            ) { waited in
                guard waited >= next else { return }
                next = waited + interval
                log.info("Waiting for the archive (\(waited.components.seconds) s): \(archiverState())")
            }
            guard let row = rows.first, row.count == 3, let lsn = row[0].flatMap({ LSN($0) }), let label = row[1] else {
                throw ServerError(.unexpectedAnswer, operation: operation, message: "no backup label in the answer")
            }
            return BackupStop(lsn: lsn, label: Array(label.utf8), tablespaceMap: Array((row[2] ?? "").utf8))
        } catch  where error.kind == .timedOut {
            throw ServerError(
                .timedOut, operation: operation, sqlState: error.sqlState,
                message: "the WAL of the backup was not archived in time: \(archiverState())",
                hint: "see the server's log for what archive_command says")
        }
    }

    /// Stops a backup whose name is taken, without waiting, and moves the server to its next segment.
    package func startOver() throws(ServerError) {
        let operation = "starting in the next segment"
        let connection = try open(operation)
        let call =
            facts.version >= 150_000
            ? "pg_backup_stop(wait_for_archive => false)" : "pg_stop_backup(false, wait_for_archive => false)"
        try connection.query("SELECT lsn FROM \(call)", operation: operation)
        if !facts.isInRecovery { try connection.query("SELECT pg_switch_wal()", operation: operation) }
    }

    /// The timeline of the last checkpoint, asked anew.
    package func timeline() throws(ServerError) -> TimelineID {
        let operation = "asking for the timeline"
        let rows = try open(operation).query("SELECT timeline_id FROM pg_control_checkpoint()", operation: operation)
        guard let value = rows.first?.first.flatMap({ $0 }).flatMap({ UInt32($0) }) else {
            throw ServerError(.unexpectedAnswer, operation: operation, message: "no timeline in the answer")
        }
        return TimelineID(rawValue: value)
    }

    /// Makes sure that the session lives.
    package func ping(deadline: Duration = .seconds(60)) throws(ServerError) {
        let operation = "checking that the backup's session lives"
        try open(operation).query("SELECT 1", operation: operation, deadline: deadline)
    }

    /// Where archiving stands, in words, from a second session: the first is busy.
    private func archiverState() -> String {
        guard facts.isInRecovery == false else {
            return "a standby with archive_mode = always waits for its own archive_command; is it failing?"
        }
        do throws(ServerError) {
            let second = try Connection(settings)
            let rows = try second.query(
                """
                SELECT pg_walfile_name(pg_current_wal_lsn()), last_archived_wal, last_failed_wal, last_failed_time,
                       last_failed_time > coalesce(last_archived_time, '-infinity'),
                       current_setting('archive_command') IN ('', '(disabled)')
                       AND coalesce(current_setting('archive_library', true), '') = ''
                  FROM pg_stat_archiver
                """, operation: "asking for the archiver", deadline: .seconds(5))
            guard let row = rows.first, row.count == 6 else { return "the archiver's state is not known" }
            var text = "the segments before \(row[0] ?? "?") must be archived; last archived: \(row[1] ?? "none")"
            if row[5] == "t" { return text + "; archive_command is empty, so nothing will be: set it" }
            if row[4] == "t", let failed = row[2] {
                text += "; archive_command fails at \(failed) (last at \(row[3] ?? "?")): see the server's log"
            }
            return text
        } catch {
            return "the archiver's state cannot be asked for (\(error.message))"
        }
    }
}
