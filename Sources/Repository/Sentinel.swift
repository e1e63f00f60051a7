package import Bytes
package import Postgres

/// The object whose existence makes a backup exist, and what it says.
///
/// Reads what WAL-G ever wrote: version 2, version 1 with the files inside, and WAL-E's. Writes version 2 with our
/// member `WALS`, which WAL-G ignores.
package struct Sentinel: Equatable, Sendable {
    /// What makes a backup a delta.
    package struct Delta: Equatable, Sendable {
        /// The parent's start: pages newer than this are in the delta.
        package var lsn: LSN
        package var parent: BackupName
        /// The full backup at the chain's beginning.
        package var full: BackupName
        /// Steps from the full backup, at least 1.
        package var count: Int
        /// OrioleDB's.
        package var checkpointNumber: UInt32?

        package init(lsn: LSN, parent: BackupName, full: BackupName, count: Int) {
            self.lsn = lsn
            self.parent = parent
            self.full = full
            self.count = count
        }
    }

    /// Where the backup starts; nil only in WAL-E's.
    package var startLSN: LSN?
    /// Nil for a full backup.
    package var delta: Delta?
    /// `server_version_num`.
    package var postgresVersion = 0
    package var finishLSN: LSN?
    package var systemIdentifier: UInt64?
    /// Bytes of file contents in the tars.
    package var uncompressedSize: Int64 = 0
    package var compressedSize: Int64 = 0
    /// Sizes of everything found in the data directory; 0 when unknown.
    package var dataCatalogSize: Int64 = 0
    package var tablespaces: TablespaceSpec?
    /// Any JSON the operator gave.
    package var userData: JSONValue?
    /// True: there is no `files_metadata.json`, and no delta may stand on this backup.
    package var isFilesMetadataDisabled = false
    /// OrioleDB's.
    package var checkpointNumber: UInt32?
    /// 2 as written today; 0 or 1 when the files stand in the sentinel or nowhere.
    package var version = 2
    package var startTime = Timestamp.unset
    package var finishTime = Timestamp.unset
    package var dateFormat = BackupMetadata.dateFormat
    package var hostname = ""
    package var dataDirectory = ""
    /// As it was when the backup was made; what counts is in `metadata.json`.
    package var isPermanent = false
    /// Nil in what other programs wrote.
    package var integrity: BackupIntegrity?
    /// The files of a version 1 sentinel; nil when they are not in it.
    package var embeddedFiles: FilesMetadata?

    package init() {}

    package var isDelta: Bool { delta != nil }

    /// Reads the document; `object` is its key, for messages.
    ///
    /// - Throws: `damaged` for a value of the wrong type, and for a delta that does not say all a delta must.
    package init(parsing bytes: [UInt8], object: String) throws(RepositoryError) {
        let document = try DocumentObject(parsing: bytes, object: object)
        startLSN = try document.integer("LSN").map { LSN($0) }
        delta = try Self.delta(document)
        postgresVersion = try document.integer("PgVersion") ?? 0
        finishLSN = try document.integer("FinishLSN").map { LSN($0) }
        systemIdentifier = try Self.systemIdentifier(document)
        uncompressedSize = try document.integer("UncompressedSize") ?? 0
        compressedSize = try document.integer("CompressedSize") ?? 0
        dataCatalogSize = try document.integer("DataCatalogSize") ?? 0
        tablespaces = try document.nested("Spec").map { spec throws(RepositoryError) in try TablespaceSpec(spec) }
        userData = document.member("UserData")
        isFilesMetadataDisabled = try document.bool("FilesMetadataDisabled") ?? false
        checkpointNumber = try document.integer("ChkpNum")
        version = try document.integer("Version") ?? 0
        startTime = try document.time("StartTime")?.instant ?? .unset
        finishTime = try document.time("FinishTime")?.instant ?? .unset
        dateFormat = try document.string("DateFmt") ?? ""
        hostname = try document.string("Hostname") ?? ""
        dataDirectory = try document.string("DataDir") ?? ""
        isPermanent = try document.bool("IsPermanent") ?? false
        integrity = try document.nested("WALS").map { member throws(RepositoryError) in try BackupIntegrity(member) }
        if document.member("Files") != nil || document.member("TarFileSets") != nil {
            embeddedFiles = try FilesMetadata(document)
        }
    }

    /// Unsigned, or the same 64 bits read as signed.
    private static func systemIdentifier(_ document: DocumentObject) throws(RepositoryError) -> UInt64? {
        if let signed = document.member("SystemIdentifier")?.integer(Int64.self) { return UInt64(bitPattern: signed) }
        return try document.integer("SystemIdentifier")
    }

    private static func delta(_ document: DocumentObject) throws(RepositoryError) -> Delta? {
        guard let parent = try document.string("DeltaFrom") else { return nil }
        // The first releases called the threshold DeltaFromLSN.
        var lsn: UInt64? = try document.integer("DeltaLSN")
        if lsn == nil { lsn = try document.integer("DeltaFromLSN") }
        guard let lsn else { throw document.missing("DeltaLSN") }
        guard let full = try document.string("DeltaFullName") else { throw document.missing("DeltaFullName") }
        guard let count: Int = try document.integer("DeltaCount") else { throw document.missing("DeltaCount") }
        guard count >= 1 else { throw document.damaged("DeltaCount", "a delta cannot be number \(count)") }
        guard let parentName = BackupName(parent) else {
            throw document.damaged("DeltaFrom", "'\(parent)' is not the name of a backup")
        }
        guard let fullName = BackupName(full) else {
            throw document.damaged("DeltaFullName", "'\(full)' is not the name of a backup")
        }
        var delta = Delta(lsn: LSN(lsn), parent: parentName, full: fullName, count: count)
        delta.checkpointNumber = try document.integer("DeltaChkpNum")
        return delta
    }

    /// The document as WAL-G writes it, with our member at the end.
    package func encoded() -> [UInt8] {
        var members: [JSONMember] = []
        func add(_ name: String, _ value: JSONValue) { members.append(JSONMember(name, value)) }
        func number(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
        add("LSN", startLSN.map { number($0.rawValue) } ?? .null)
        if let delta {
            add("DeltaLSN", number(delta.lsn.rawValue))
            add("DeltaFrom", .string("\(delta.parent)"))
            add("DeltaFullName", .string("\(delta.full)"))
            add("DeltaCount", number(delta.count))
        }
        add("PgVersion", number(postgresVersion))
        add("FinishLSN", finishLSN.map { number($0.rawValue) } ?? .null)
        if let systemIdentifier { add("SystemIdentifier", number(systemIdentifier)) }
        add("UncompressedSize", number(uncompressedSize))
        add("CompressedSize", number(compressedSize))
        if dataCatalogSize != 0 { add("DataCatalogSize", number(dataCatalogSize)) }
        if let tablespaces { add("Spec", tablespaces.json) }
        if let userData { add("UserData", userData.sortedByName) }
        if isFilesMetadataDisabled { add("FilesMetadataDisabled", .bool(true)) }
        add("ChkpNum", checkpointNumber.map { number($0) } ?? .null)
        if let checkpoint = delta?.checkpointNumber { add("DeltaChkpNum", number(checkpoint)) }
        add("Version", number(version))
        add("StartTime", .string(startTime.rfc3339()))
        add("FinishTime", .string(finishTime.rfc3339()))
        add("DateFmt", .string(dateFormat))
        add("Hostname", .string(hostname))
        add("DataDir", .string(dataDirectory))
        add("IsPermanent", .bool(isPermanent))
        if let integrity { add("WALS", integrity.json) }
        return JSONWriter.bytes(of: .object(members), escaping: .html)
    }
}
