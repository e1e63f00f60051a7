import Bytes
import Postgres
import Repository
import Server
import Storage
import Streams

/// From the started backup to its sentinel.
extension PushBackup {
    func fill(_ running: Running) async throws {
        let facts = running.facts
        let plan = try BackupPlan(walking: running.directory, log: log)
        progress.started(total: plan.files.byteCount)
        let context = PushContext(
            store: store, pool: settings.pool, compression: settings.compression, backup: "\(running.name)",
            directory: running.directory, files: plan.files, objects: StoredObjects(), names: AccountNames(),
            progress: progress, log: log)
        try await watched(running, pinging: true) { try await push(context, running) }
        let control = try await pushControlFile(context, running)
        progress.finished()

        log.info("Finishing the backup; waiting until its WAL is archived")
        let stop: BackupStop = try await watched(running, pinging: false) {
            try await running.session.stop(timeout: settings.stopTimeout)
        }
        let labels = try await pushLabels(context, running, stop)
        let tarByteCount = context.objects.byteCount
        let databases: [DatabaseDescription] = try await watched(running, pinging: true) { try readDatabases() }
        let document = PushedDocuments(
            context: context, running: running, stop: stop, labels: labels, control: control, databases: databases,
            finishTime: now().roundedUpToMicrosecond, compressedByteCount: tarByteCount, settings: settings,
            tablespaces: plan.tablespaces, catalogSize: plan.catalogSize)
        try await watched(running, pinging: false) { try await document.pushAllButSentinel() }
        reportDamage(context)
        if facts.isInRecovery, try await running.session.timeline() != running.start.segment.timeline {
            throw ArchiverError(
                .server, "backup-push: the standby changed its timeline during the backup, which is thereby useless")
        }
        try await running.lease.confirm()
        do {
            try await document.pushSentinel()
        } catch {
            throw SentinelInDoubt.isRefusal(error) ? error : SentinelInDoubt(cause: error)
        }
        log.info("Wrote backup with name \(running.name) to storage default")
    }

    /// All files but the control file.
    private func push(_ context: PushContext, _ running: Running) async throws {
        let stream = PushStream(
            context: context, partNumbers: PartNumbers(), sizeThreshold: settings.tarSizeThreshold,
            verifiesPages: running.facts.hasDataChecksums && settings.verifiesPages, backupStart: running.start.lsn,
            damagedPageLimit: settings.storesAllDamagedPages ? nil : 10)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<settings.streams {
                group.addTask(executorPreference: running.disk) { try await stream.run() }
            }
            for try await _ in group {}
        }
    }

    private func pushControlFile(_ context: PushContext, _ running: Running) async throws -> StoredMember {
        let control = try Self.readControlFile(running.directory)
        var status = BackupFileStatus(control.status)
        status.byteCount = control.contents.count
        let entry = context.entry(BackupPlan.controlFile, .regular, status)
        try await context.storeTar("pg_control.tar", [(entry, control.contents)])
        return StoredMember(path: "global/pg_control", contents: control.contents, modified: status.modified)
    }

    private func pushLabels(
        _ context: PushContext, _ running: Running, _ stop: BackupStop
    ) async throws -> [StoredMember] {
        let label = try BackupLabel(parsing: stop.label)
        guard label.start == running.start.lsn, label.timeline == running.start.segment.timeline else {
            throw ArchiverError(
                .server,
                "backup-push: the server's backup_label says \(label.start) on timeline \(label.timeline.rawValue), the "
                    + "backup began at \(running.start.lsn) on \(running.start.segment.timeline.rawValue)")
        }
        let members = [
            StoredMember(path: "backup_label", contents: stop.label, modified: Timestamp(seconds: 0)),
            StoredMember(path: "tablespace_map", contents: stop.tablespaceMap, modified: Timestamp(seconds: 0)),
        ]
        try await context.storeTar(
            "backup_label.tar",
            members.map { (TarEntry(path: $0.path, byteCount: $0.contents.count, mode: 0o600), $0.contents) })
        return members
    }

    private func readDatabases() throws -> [DatabaseDescription] {
        guard settings.storesDatabases, settings.storesFilesMetadata else { return [] }
        return try DatabaseContents.read(settings.connection, log: log).map { DatabaseDescription($0) }
    }

    private func reportDamage(_ context: PushContext) {
        let (pages, files) = context.files.damage
        guard pages > 0 else { return }
        log.warning(
            "\(pages) damaged pages in \(files) files are in the backup as they are; files_metadata.json names them. "
                + "Older backups may have them undamaged: keep these")
    }
}

/// A small file that was stored from memory.
struct StoredMember: Sendable {
    /// Relative to the data directory.
    let path: String
    let contents: [UInt8]
    let modified: Timestamp
}

extension DatabaseDescription {
    /// Partitions and inheritance children go to the topmost ancestor, all levels in one list.
    init(_ contents: DatabaseContents) {
        var byOID: [UInt32: DatabaseRelation] = [:]
        for relation in contents.relations { byOID[relation.oid] = relation }
        func ancestor(_ relation: DatabaseRelation) -> DatabaseRelation {
            var top = relation
            var steps = 0
            while let parent = top.parent.flatMap({ byOID[$0] }), steps < 1000 {
                top = parent
                steps += 1
            }
            return top
        }
        var tables: [UInt32: Table] = [:]
        for relation in contents.relations where ancestor(relation).oid == relation.oid {
            tables[relation.oid] = Table(name: relation.name, oid: relation.oid, fileNode: relation.fileNode)
        }
        for relation in contents.relations {
            let top = ancestor(relation).oid
            guard top != relation.oid else { continue }
            tables[top]?.subtables.append(Table(name: relation.name, oid: relation.oid, fileNode: relation.fileNode))
        }
        self.init(
            name: contents.name, oid: contents.oid,
            tables: tables.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    }
}
