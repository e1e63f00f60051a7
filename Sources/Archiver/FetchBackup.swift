package import Bytes
import Glibc
import Postgres
import Repository
package import Storage
import Streams

/// Restores a full backup into an empty directory, and leaves nothing there that PostgreSQL could take for whole
/// before it is.
///
/// Order: everything that can be refused without writing; a marker file; the parts, several at once;
/// `tablespace_map` and `backup_label`; what PostgreSQL wants beside; fsync of all; `global/pg_control`, without which
/// no server starts; the marker goes.
package struct FetchBackup: Sendable {
    let settings: RestoreSettings
    let store: any ObjectStore
    let log: Log
    /// Told of the stored bytes.
    let progress: any ProgressReporting
    /// Called between the steps; tests end the restore here as a crash would.
    let step: @Sendable (RestoreStep) throws -> Void
    /// Waits between two attempts at a tar.
    let pause: @Sendable (Duration) async throws -> Void

    package init(
        _ settings: RestoreSettings, store: any ObjectStore, log: Log,
        progress: any ProgressReporting = NoProgress(),
        step: @escaping @Sendable (RestoreStep) throws -> Void = { _ in },
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.settings = settings
        self.store = store
        self.log = log
        self.progress = progress
        self.step = step
        self.pause = pause
    }

    /// Restores, and says what was done.
    ///
    /// - Throws: `ArchiverError`, `RepositoryError`, `StorageError` or `SystemError`. Whatever was written by then
    ///   stays, marked as incomplete.
    package func run() async throws -> RestoreOutcome {
        let destination = Path.absolute(settings.destination)
        try RestoreDestination.check(destination)
        let name = try await BackupDocuments.select(settings.selection, in: store, log)
        let backup = try await BackupDocuments.read(name, mask: settings.mask, in: store)
        for key in backup.plan.ignored {
            log.warning("\(key) is not an object of \(name), left from another run: ignored")
        }
        let tablespaces = try planTablespaces(backup, destination)
        let done = Locked(0)
        progress.started(total: backup.plan.byteCount)
        defer { progress.finished() }
        let stream = FetchStream(store: store) { [progress] count in
            done.withLock { $0 += count }
            progress.advanced(by: count)
        }
        let control = try await RestoreControl.read(backup, stream)
        let label = try await readLabel(backup, stream)
        try RestoreDestination.check(destination)
        try step(.planned)

        let owner = RestoreControl.owner(of: control.entry, destination: destination)
        let root = try RestoreDestination.prepare(
            destination, backup: name, mode: control.directoryMode, owner: owner, syncs: settings.syncs, log)
        let locations = try RestoreTablespaces.open(
            tablespaces, mode: control.directoryMode, owner: owner, syncs: settings.syncs)
        let tree = RestoreTree(
            root: root, locations: locations, directoryMode: control.directoryMode, owner: owner,
            durability: .choose(
                syncs: settings.syncs, syncsFileSystems: settings.syncsFileSystems, tops: [root] + locations.values))
        try tree.linkTablespaces(tablespaces)
        try step(.prepared)

        let shared = TarUnpacker.Shared(
            tree: tree, ledger: RestoreLedger(backup.files, mask: settings.mask), held: HeldFiles(),
            holdsLabel: label.isEmpty, checkedPages: control.file.hasDataChecksums ? backup.duration : nil,
            skippedLinks: Locked([]))
        let counts = try await RestoreParts(fetch: self, stream: stream, shared: shared).run(backup.plan.parts)
        try checkDelivered(shared.ledger, name)
        try step(.partsWritten)

        for (path, file) in label { shared.held.hold(path, file) }
        try RestoreUtilityFiles(
            backup: backup, tree: tree, tablespaces: tablespaces, syncs: settings.syncs
        ).write(shared.held)
        try RestoreUtilityFiles.makeStandardDirectories(in: tree)
        if settings.mask == nil {
            try await RestoreManifest(backup: backup, tree: tree, syncs: settings.syncs).write(from: store)
        }
        try step(.labelWritten)
        try tree.finish()
        try step(.synced)
        try tree.writeSmallFile(
            .control, control.bytes, mode: control.mode, modified: control.entry.modified, syncs: settings.syncs)
        try step(.controlWritten)
        try root.removeFile(RestoreDestination.marker)
        if settings.syncs { try root.sync() }
        progress.finished()
        try report(counts, name, destination)
        log.info("Backup extraction complete.")
        return RestoreOutcome(
            backup: name, destination: destination, tablespaces: tablespaces,
            skippedLinks: shared.skippedLinks.withLock { $0 }, fileCount: counts.files + 1,
            byteCount: counts.bytes + control.bytes.count, storedByteCount: done.withLock { $0 },
            exampleLSN: "\(backup.sentinel.finishLSN ?? control.file.checkpoint)")
    }

    /// Says what is wrong with pages; the restore itself is complete.
    ///
    /// - Throws: `ArchiverError` with `corrupted` when storage may have spoilt them.
    private func report(_ counts: RestoreParts.Counts, _ name: String, _ destination: String) throws(ArchiverError) {
        let atSource = counts.pagesDamagedAtSource
        if atSource.count > 0 {
            log.warning(
                """
                \(atSource.count) pages do not match their checksum (\(atSource.listed)), and were so when \(name) was \
                made: replay mends those that were being written then. Check with pg_checksums after recovery
                """)
        }
        guard counts.pagesDamaged.count > 0 else { return }
        throw ArchiverError(
            .corrupted,
            """
            \(name) is restored in \(destination), but \(counts.pagesDamaged.count) pages do not match their checksum \
            (\(counts.pagesDamaged.listed)), and neither the codec nor the backup has a checksum that could tell whether \
            the store spoilt them. Replay mends pages that were being written during the backup; before using the \
            server, check with pg_checksums and pg_amcheck
            """)
    }

    /// The members of `backup_label.tar`; empty when the label comes with the parts.
    private func readLabel(
        _ backup: BackupDocuments, _ stream: FetchStream
    ) async throws -> [MemberPath: HeldFiles.File] {
        guard let tar = backup.plan.label else { return [:] }
        var files: [MemberPath: HeldFiles.File] = [:]
        for member in try await stream.readSmall(tar, end: .required, limit: HeldFiles.limit)
        where member.entry.kind == .regular {
            files[try MemberPath(memberName: member.entry.path)] = HeldFiles.File(
                bytes: member.bytes, mode: mode_t(member.entry.mode) & 0o777, modified: member.entry.modified)
        }
        guard let label = files[.backupLabel] else {
            throw ArchiverError(.corrupted, "\(tar.key) holds no backup_label")
        }
        try RestoreUtilityFiles.check(label: label.bytes, of: backup)
        return files.filter { $0.key == .backupLabel || $0.key == .tablespaceMap }
    }

    private func planTablespaces(
        _ backup: BackupDocuments, _ destination: String
    ) throws -> [TablespaceSpec.Tablespace] {
        let original = backup.sentinel.tablespaces
        let tablespaces = try RestoreTablespaces.plan(
            original: original?.tablespaces ?? [], replacement: settings.tablespaces?.tablespaces,
            destination: destination)
        try RestoreTablespaces.checkLocations(
            tablespaces, destination: destination, isReplaced: settings.tablespaces != nil)
        if let prefix = settings.tablespaces?.basePrefix, prefix != destination {
            log.warning("base_prefix of --restore-spec is \(prefix): the links are made in \(destination) all the same")
        }
        if settings.tablespaces == nil, let original, original.basePrefix != destination {
            for tablespace in tablespaces {
                log.warning(
                    """
                    tablespace \(tablespace.name) is restored to its original location \(tablespace.location), \
                    though the data directory was \(original.basePrefix) and is \(destination) now
                    """)
            }
        }
        return tablespaces
    }

    private func checkDelivered(_ ledger: RestoreLedger, _ name: String) throws(ArchiverError) {
        let (count, examples) = ledger.missing()
        guard count > 0 else { return }
        let listed = examples.map(\.description).joined(separator: ", ") + (count > examples.count ? ", …" : "")
        throw ArchiverError(
            .corrupted, "\(count) files that \(name) lists are in none of its parts: \(listed). It is not whole")
    }
}

/// Where a restore stands.
package enum RestoreStep: CaseIterable, Sendable {
    /// Nothing has been written.
    case planned
    /// The directory and its marker are there.
    case prepared
    case partsWritten, labelWritten, synced
    /// PostgreSQL can start.
    case controlWritten
}
