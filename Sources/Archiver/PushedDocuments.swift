import Bytes
import Postgres
import Repository
import Server
import Storage

/// The documents that describe a backup, in the order they are stored.
struct PushedDocuments: Sendable {
    let context: PushContext
    let running: PushBackup.Running
    let stop: BackupStop
    let labels: [StoredMember]
    let control: StoredMember
    let databases: [DatabaseDescription]
    let finishTime: Timestamp
    /// Stored bytes of the tars.
    let compressedByteCount: Int
    let settings: PushBackupSettings
    let tablespaces: [TablespaceSpec.Tablespace]
    let catalogSize: Int

    func pushAllButSentinel() async throws {
        try await pushManifest()
        let metadata = metadata.encoded()
        _ = try await context.store.put(metadata, at: Layout.metadata(context.backup), .replace)
        if settings.storesFilesMetadata { try await pushFilesMetadata() }
    }

    private func pushManifest() async throws {
        try await context.storeDocument("backup_manifest") { document, upload in
            var manifest = BackupManifest()
            func write(_ bytes: [UInt8]) { document.write(bytes.span.bytes) }
            write(
                manifest.begin(
                    serverVersion: running.facts.version, systemIdentifier: running.facts.systemIdentifier))
            for member in labels + [control] {
                write(
                    manifest.file(
                        member.path, byteCount: member.contents.count, modified: member.modified,
                        crc32c: CRC32C.checksum(member.contents.span.bytes)))
            }
            for index in 0..<context.files.count {
                guard let (file, result) = context.files.stored(at: index), file.kind == .regular else { continue }
                write(
                    manifest.file(
                        String(file.path.dropFirst()), byteCount: result.status.byteCount,
                        modified: result.status.modified, crc32c: result.crc32c))
                try await document.send(to: upload)
            }
            write(
                manifest.end(timeline: running.start.segment.timeline, start: running.start.lsn, stop: stop.lsn))
        }
    }

    private func pushFilesMetadata() async throws {
        try await context.storeDocument("files_metadata.json") { document, upload in
            var writer = FilesMetadataWriter()
            let emit = { (bytes: RawSpan) in document.write(bytes) }
            for index in 0..<context.files.count {
                guard let (file, result) = context.files.stored(at: index) else { continue }
                writer.add(description(file, result), emit)
                try await document.send(to: upload)
            }
            for (part, members) in context.files.membersByPart() {
                let paths = members.lazy.map { context.files.path(at: $0) }
                writer.addTar(context.tarName(Layout.partName(part)), members: paths, emit)
                try await document.send(to: upload)
            }
            writer.addTar(context.tarName("backup_label.tar"), members: ["tablespace_map", "backup_label"], emit)
            for database in databases {
                writer.add(database, emit)
                try await document.send(to: upload)
            }
            writer.finish(emit)
        }
    }

    private func description(_ file: BackupFile, _ result: BackupFileResult) -> FileDescription {
        let modified = result.status.modified
        var description = FileDescription(
            path: file.path, modified: ZonedTimestamp(modified, offset: modified.localOffset))
        if file.kind == .regular {
            description.byteCount = result.status.byteCount
            description.crc32c = result.crc32c
        }
        description.corruptPages = result.corrupt.map { .init(count: $0.count, pages: $0.pages) }
        return description
    }

    private var uncompressedByteCount: Int64 {
        let extra = (labels + [control]).reduce(0) { $0 + $1.contents.count }
        return Int64(context.files.storedByteCount + extra)
    }

    private var metadata: BackupMetadata {
        var metadata = BackupMetadata()
        metadata.startTime = running.startTime
        metadata.finishTime = finishTime
        metadata.hostname = running.hostname
        metadata.dataDirectory = running.directory
        metadata.postgresVersion = running.facts.version
        metadata.startLSN = running.start.lsn
        metadata.finishLSN = stop.lsn
        metadata.isPermanent = settings.isPermanent
        metadata.systemIdentifier = running.facts.systemIdentifier
        metadata.uncompressedSize = uncompressedByteCount
        metadata.compressedSize = Int64(compressedByteCount)
        metadata.userData = settings.userData
        return metadata
    }

    /// What makes the backup exist.
    func pushSentinel() async throws {
        var sentinel = Sentinel()
        sentinel.startLSN = running.start.lsn
        sentinel.finishLSN = stop.lsn
        sentinel.postgresVersion = running.facts.version
        sentinel.systemIdentifier = running.facts.systemIdentifier
        sentinel.uncompressedSize = uncompressedByteCount
        sentinel.compressedSize = Int64(compressedByteCount)
        sentinel.dataCatalogSize = Int64(catalogSize)
        if !tablespaces.isEmpty {
            sentinel.tablespaces = TablespaceSpec(basePrefix: running.directory, tablespaces: tablespaces)
        }
        sentinel.userData = settings.userData
        sentinel.isFilesMetadataDisabled = !settings.storesFilesMetadata
        sentinel.startTime = running.startTime
        sentinel.finishTime = finishTime
        sentinel.hostname = running.hostname
        sentinel.dataDirectory = running.directory
        sentinel.isPermanent = settings.isPermanent
        let size = running.facts.segmentSize
        let timeline = running.start.segment.timeline
        sentinel.integrity = BackupIntegrity(
            tool: Tool.name, objects: context.objects.all,
            walRange: BackupIntegrity.WALRange(
                first: .containing(running.start.lsn, timeline: timeline, size: size),
                last: .containing(LSN(stop.lsn.rawValue - 1), timeline: timeline, size: size)))
        let bytes = sentinel.encoded()
        let key = Layout.sentinel(context.backup)
        do {
            _ = try await context.store.put(bytes, at: key, .create)
        } catch let error as StorageError where error.kind == .alreadyExists {
            // A repeated request after a lost answer meets what the first one stored.
            let (stored, _) = try await context.store.get(key, limit: 256 << 20)
            guard stored == bytes else { throw error }
        }
    }
}
