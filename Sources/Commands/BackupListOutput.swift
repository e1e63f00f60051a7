package import Bytes
import Postgres
package import Repository
package import Storage

/// What `backup-list` prints, byte for byte as WAL-G does; times are UTC.
package enum BackupListOutput {
    /// The flags of the command.
    package struct Options: Equatable, Sendable {
        package var isPretty = false
        package var isJSON = false
        package var isDetailed = false

        package init(isPretty: Bool = false, isJSON: Bool = false, isDetailed: Bool = false) {
            self.isPretty = isPretty
            self.isJSON = isJSON
            self.isDetailed = isDetailed
        }
    }

    /// A backup of the list.
    package struct Row: Equatable, Sendable {
        package let entry: BackupEntry
        /// The storage's name in a failover setting; there is one, `default`.
        package let storageName: String
        /// Nil when the list is not detailed.
        package let metadata: BackupMetadata?

        package init(entry: BackupEntry, storageName: String = "default", metadata: BackupMetadata? = nil) {
            self.entry = entry
            self.storageName = storageName
            self.metadata = metadata
        }
    }

    /// Collects the backups of `store`, opening `metadata.json` of each only when details are asked, and says on
    /// `log` what WAL-G says.
    ///
    /// - Throws: `StorageError`; with details `RepositoryError` when a document is missing or damaged: the list is
    ///   complete or not there at all.
    package static func rows(of store: any ObjectStore, _ options: Options, log: Log) async throws -> [Row] {
        log.info("List backups from storages: [default]")
        let catalog = BackupCatalog(store)
        let entries = try await catalog.entries()
        if entries.isEmpty && !options.isJSON { log.info("No backups found") }
        guard options.isDetailed else { return entries.map { Row(entry: $0) } }
        let rows = try await catalog.map(entries) { entry in
            Row(entry: entry, metadata: try await catalog.metadata(entry.name))
        }
        guard rows.allSatisfy({ start(of: $0) != .unset }) else { return rows }
        let numbered = rows.enumerated().sorted {
            (start(of: $0.element), $0.offset) < (start(of: $1.element), $1.offset)
        }
        return numbered.map(\.element)
    }

    private static func start(of row: Row) -> Timestamp { row.metadata?.startTime ?? .unset }

    /// The text for standard output, with its last newline; empty when there is nothing to print.
    package static func text(_ rows: [Row], _ options: Options) -> String {
        if options.isJSON { return json(rows, indent: options.isPretty ? "    " : nil) }
        guard !rows.isEmpty else { return "" }
        return options.isPretty ? box(rows, options) : plain(rows, options)
    }

    private static func json(_ rows: [Row], indent: String?) -> String {
        let values: [JSONValue] = rows.map { row in
            let members = [
                JSONMember("backup_name", .string(row.entry.name)),
                JSONMember("time", .string(row.entry.modified.rfc3339())),
                JSONMember("wal_file_name", .string(row.entry.segmentText)),
                JSONMember("storage_name", .string(row.storageName)),
            ]
            return .object(members + (row.metadata?.members ?? []))
        }
        let bytes = JSONWriter.bytes(of: .array(values), escaping: .html, indent: indent)
        return String(decoding: bytes, as: UTF8.self) + "\n"
    }

    private static func plain(_ rows: [Row], _ options: Options) -> String {
        var header = ["backup_name", "modified", "wal_file_name", "storage_name"]
        if options.isDetailed {
            header += [
                "start_time", "finish_time", "hostname", "data_dir", "pg_version", "start_lsn", "finish_lsn",
                "is_permanent",
            ]
        }
        let lines = rows.map { cells($0) { time in Timestamp(seconds: time.seconds).rfc3339() } }
        return TextTable.columns([header] + lines)
    }

    private static func box(_ rows: [Row], _ options: Options) -> String {
        var header = ["#", "BACKUP NAME", "MODIFIED", "WAL FILE NAME", "STORAGE NAME"]
        if options.isDetailed {
            header += [
                "START TIME", "FINISH TIME", "HOSTNAME", "DATADIR", "PG VERSION", "START LSN", "FINISH LSN",
                "PERMANENT",
            ]
        }
        let lines = rows.enumerated().map { [String($0.offset)] + cells($0.element) { $0.rfc850 } }
        return TextTable.box(header: header, rows: lines, numbers: [0])
    }

    private static func cells(_ row: Row, _ format: (Timestamp) -> String) -> [String] {
        func time(_ time: Timestamp) -> String { time == .unset ? "-" : format(time) }
        let cells = [row.entry.name, time(row.entry.modified), row.entry.segmentText, row.storageName]
        guard let metadata = row.metadata else { return cells }
        return cells + [
            time(metadata.startTime), time(metadata.finishTime), metadata.hostname, metadata.dataDirectory,
            String(metadata.postgresVersion), metadata.startLSN.description, metadata.finishLSN.description,
            String(metadata.isPermanent),
        ]
    }
}
