package import Bytes
package import Postgres

/// What `metadata.json` of a backup says; it alone tells whether the backup is permanent.
package struct BackupMetadata: Equatable, Sendable {
    /// The only value `date_fmt` ever has.
    package static let dateFormat = "%Y-%m-%dT%H:%M:%S.%fZ"

    /// Before `pg_backup_start`; `Timestamp.unset` where the document has none.
    package var startTime = Timestamp.unset
    package var finishTime = Timestamp.unset
    package var dateFormat = Self.dateFormat
    /// Empty when unknown.
    package var hostname = ""
    /// The server's data directory, links resolved.
    package var dataDirectory = ""
    /// `server_version_num`.
    package var postgresVersion = 0
    package var startLSN = LSN.invalid
    package var finishLSN = LSN.invalid
    package var isPermanent = false
    package var systemIdentifier: UInt64?
    /// Bytes of file contents in the tars.
    package var uncompressedSize: Int64 = 0
    package var compressedSize: Int64 = 0
    /// Any JSON the operator gave.
    package var userData: JSONValue?

    package init() {}

    /// Reads the document; `object` is its key, for messages.
    package init(parsing bytes: [UInt8], object: String) throws(RepositoryError) {
        let document = try DocumentObject(parsing: bytes, object: object)
        startTime = try document.time("start_time")?.instant ?? .unset
        finishTime = try document.time("finish_time")?.instant ?? .unset
        dateFormat = try document.string("date_fmt") ?? ""
        hostname = try document.string("hostname") ?? ""
        dataDirectory = try document.string("data_dir") ?? ""
        postgresVersion = try document.integer("pg_version") ?? 0
        startLSN = LSN(try document.integer("start_lsn") ?? 0)
        finishLSN = LSN(try document.integer("finish_lsn") ?? 0)
        isPermanent = try document.bool("is_permanent") ?? false
        systemIdentifier = try document.integer("system_identifier")
        uncompressedSize = try document.integer("uncompressed_size") ?? 0
        compressedSize = try document.integer("compressed_size") ?? 0
        userData = document.member("user_data")
    }

    /// The members in WAL-G's order.
    package var members: [JSONMember] {
        var members = [
            JSONMember("start_time", .string(startTime.rfc3339())),
            JSONMember("finish_time", .string(finishTime.rfc3339())),
            JSONMember("date_fmt", .string(dateFormat)),
            JSONMember("hostname", .string(hostname)),
            JSONMember("data_dir", .string(dataDirectory)),
            JSONMember("pg_version", .number(String(postgresVersion))),
            JSONMember("start_lsn", .number(String(startLSN.rawValue))),
            JSONMember("finish_lsn", .number(String(finishLSN.rawValue))),
            JSONMember("is_permanent", .bool(isPermanent)),
            JSONMember("system_identifier", systemIdentifier.map { .number(String($0)) } ?? .null),
            JSONMember("uncompressed_size", .number(String(uncompressedSize))),
            JSONMember("compressed_size", .number(String(compressedSize))),
        ]
        if let userData { members.append(JSONMember("user_data", userData.sortedByName)) }
        return members
    }

    /// The document as WAL-G writes it.
    package func encoded() -> [UInt8] { JSONWriter.bytes(of: .object(members), escaping: .html) }
}
