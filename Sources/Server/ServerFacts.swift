package import Postgres

/// What the server says of itself and its cluster.
package struct ServerFacts: Equatable, Sendable {
    /// `server_version_num`, for example 150004.
    package let version: Int
    package let dataDirectory: String
    package let systemIdentifier: UInt64
    /// The timeline of the last checkpoint.
    package let timeline: TimelineID
    package let segmentSize: WALSegmentSize
    /// Bytes of a page; 8192 but in exotic builds.
    package let pageSize: Int
    package let hasDataChecksums: Bool
    package let isInRecovery: Bool
    /// `off`, `on` or `always`.
    package let archiveMode: String
    package let archiveCommand: String
    /// Empty before PostgreSQL 15.
    package let archiveLibrary: String
    package let tablespaces: [ServerTablespace]

    /// True when finished segments go to an archive.
    package var archives: Bool {
        let target = !archiveCommand.isEmpty && archiveCommand != "(disabled)" || !archiveLibrary.isEmpty
        return target && (isInRecovery ? archiveMode == "always" : archiveMode != "off")
    }
}

/// A tablespace outside the data directory.
package struct ServerTablespace: Equatable, Sendable {
    package let oid: UInt32
    package let name: String
    /// The directory, as the server sees it; relative for one inside the data directory.
    package let location: String
}

extension ServerFacts {
    static func read(_ connection: Connection) throws(ServerError) -> ServerFacts {
        let operation = "asking the server for its settings"
        let rows = try connection.query(
            """
            SELECT current_setting('server_version_num'), current_setting('data_directory'),
                   s.system_identifier, c.timeline_id, i.bytes_per_wal_segment, i.database_block_size,
                   i.data_page_checksum_version, pg_is_in_recovery(), current_setting('archive_mode'),
                   current_setting('archive_command'), coalesce(current_setting('archive_library', true), '')
              FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_init() i
            """, operation: operation)
        let spaces = try connection.query(
            """
            SELECT oid, spcname, pg_tablespace_location(oid) FROM pg_tablespace
             WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY oid
            """, operation: operation)
        guard let row = rows.first, row.count == 11, let version = row[0].flatMap({ Int($0) }), let directory = row[1],
            let identifier = row[2].flatMap({ Int64($0) }), let timeline = row[3].flatMap({ UInt32($0) }),
            let segment = row[4].flatMap({ Int($0) }), let segmentSize = WALSegmentSize(byteCount: segment),
            let pageSize = row[5].flatMap({ Int($0) })
        else {
            throw ServerError(.unexpectedAnswer, operation: operation, message: "the server's answer cannot be read")
        }
        var tablespaces: [ServerTablespace] = []
        for space in spaces {
            guard space.count == 3, let oid = space[0].flatMap({ UInt32($0) }), let name = space[1] else { continue }
            tablespaces.append(ServerTablespace(oid: oid, name: name, location: space[2] ?? ""))
        }
        return ServerFacts(
            version: version, dataDirectory: directory, systemIdentifier: UInt64(bitPattern: identifier),
            timeline: TimelineID(rawValue: timeline), segmentSize: segmentSize, pageSize: pageSize,
            hasDataChecksums: row[6] != "0", isInRecovery: row[7] == "t", archiveMode: row[8] ?? "off",
            archiveCommand: row[9] ?? "", archiveLibrary: row[10] ?? "", tablespaces: tablespaces)
    }
}
