import Bytes

/// What `global/pg_control` says of a cluster, for PostgreSQL 13 to 18.
///
///     offset 0    8 bytes  system identifier        8  4  control version     12  4  catalogue version
///     offset 16   4 bytes  state                   24  8  time of last change  32  8  latest checkpoint
///     offset 40   8 bytes  its redo position       48  4  its timeline        52  4  the timeline before
///     offset 136  8 bytes  minimum recovery point 152  8  start of the backup recovered from
///     offset 216  4 bytes  page size              224  4  WAL page size      228  4  WAL segment size
///     offset 252  4 bytes  version of data checksums, 0 without
///     offset 288  4 bytes  CRC-32C of all before it; at 292 from version 18 on
///
/// Source: PostgreSQL, src/include/catalog/pg_control.h, `ControlFileData`; compared with the files of 13, 15, 17, 18.
package struct ControlFile: Equatable, Sendable {
    /// What the server was doing when it last wrote the file (`DBState`).
    package enum State: UInt32, Sendable {
        case startup, shutDown, shutDownInRecovery, shuttingDown, inCrashRecovery, inArchiveRecovery, inProduction
    }

    package let systemIdentifier: UInt64
    /// 1300 for PostgreSQL 13 to 16, 1700 for 17, 1800 for 18.
    package let pgControlVersion: UInt32
    package let catalogVersion: UInt32
    package let state: State
    /// The position of the latest checkpoint's record.
    package let checkpoint: LSN
    /// Where recovery from that checkpoint begins.
    package let checkpointRedo: LSN
    /// The timeline of the latest checkpoint.
    package let timeline: TimelineID
    /// Up to where a restored or standby server must recover to be consistent; invalid on a primary.
    package let minimumRecoveryPoint: LSN
    /// Where the base backup began that the server recovers from; invalid when it does not.
    package let backupStart: LSN
    /// 0 when pages have no checksums, 1 when they do.
    package let dataChecksumVersion: UInt32
    package let segmentSize: WALSegmentSize
    /// The size of a page, always 8192.
    package let blockSize: Int

    package var hasDataChecksums: Bool { dataChecksumVersion != 0 }

    /// Reads the contents of the file; what follows the checksum is ignored, as the server does.
    ///
    /// - Throws: `truncated`, `unsupported` (another version, page size or byte order), `corrupted`.
    package init(parsing bytes: [UInt8]) throws(PostgresError) {
        let span = unsafe bytes.span.bytes
        guard span.byteCount >= 12 else { throw Self.failure(.truncated, "\(bytes.count) bytes are too few") }
        let version = span.uint32(at: 8)
        guard let layout = Self.checksumOffsets[version] else {
            let swapped = Self.checksumOffsets[version.byteSwapped] != nil
            throw Self.failure(
                .unsupported, offset: 8,
                swapped
                    ? "written by a server of the other byte order"
                    : "control file version \(version); known are those of PostgreSQL 13 to 18 (1300, 1700, 1800)")
        }
        guard span.byteCount >= layout + 4 else {
            throw Self.failure(.truncated, "\(bytes.count) bytes, \(layout + 4) expected at least")
        }
        let computed = CRC32C.checksum(span.extracting(0..<layout))
        let stored = span.uint32(at: layout)
        guard computed == stored else {
            throw Self.failure(
                .corrupted, offset: layout,
                "checksum \(Hex.digits(stored, width: 8)), expected \(Hex.digits(computed, width: 8))")
        }
        guard span.uint32(at: 216) == 8192, span.uint32(at: 224) == 8192 else {
            throw Self.failure(
                .unsupported, offset: 216,
                "pages of \(span.uint32(at: 216)) bytes, WAL pages of \(span.uint32(at: 224)); only 8192 is supported")
        }
        guard span.uint32(at: 220) == PageHeader.pagesPerSegment else {
            throw Self.failure(
                .unsupported, offset: 220,
                "relation segments of \(span.uint32(at: 220)) pages; only 131072 is supported")
        }
        guard let state = State(rawValue: span.uint32(at: 16)) else {
            throw Self.failure(.malformed, offset: 16, "unknown state \(span.uint32(at: 16))")
        }
        guard let segmentSize = WALSegmentSize(byteCount: Int(span.uint32(at: 228))) else {
            throw Self.failure(.malformed, offset: 228, "a WAL segment size of \(span.uint32(at: 228)) bytes")
        }
        systemIdentifier = span.uint64(at: 0)
        pgControlVersion = version
        catalogVersion = span.uint32(at: 12)
        self.state = state
        checkpoint = LSN(span.uint64(at: 32))
        checkpointRedo = LSN(span.uint64(at: 40))
        timeline = TimelineID(span.uint32(at: 48))
        minimumRecoveryPoint = LSN(span.uint64(at: 136))
        backupStart = LSN(span.uint64(at: 152))
        dataChecksumVersion = span.uint32(at: 252)
        self.segmentSize = segmentSize
        blockSize = 8192
    }

    /// Where the checksum lies, by control file version.
    private static let checksumOffsets: [UInt32: Int] = [1300: 288, 1700: 288, 1800: 292]

    private static func failure(_ kind: PostgresError.Kind, offset: Int? = nil, _ detail: String) -> PostgresError {
        PostgresError(kind, subject: "global/pg_control", offset: offset, detail: detail)
    }
}
