import Bytes

/// The long page header at the start of every WAL segment, 40 bytes.
///
///     offset 0   2 bytes  magic, which tells the major version     2  2  flags       4  4  timeline
///     offset 8   8 bytes  address of the page                     16  4  bytes left of a record begun before
///     offset 24  8 bytes  system identifier   32  4  segment size  36  4  WAL page size
///
/// Source: PostgreSQL, src/include/access/xlog_internal.h, `XLogLongPageHeaderData`.
package struct WALSegmentHeader: Equatable, Sendable {
    package static let byteCount = 40

    package let magic: UInt16
    package let flags: UInt16
    /// The timeline on which the page was first written; not above the one in the segment's name.
    package let timeline: TimelineID
    package let pageAddress: LSN
    /// Bytes of a record begun in an earlier segment that are still to come.
    package let remainingByteCount: UInt32
    package let systemIdentifier: UInt64
    package let segmentSize: WALSegmentSize
    /// The size of a WAL page, always 8192.
    package let blockSize: Int

    /// The major version of PostgreSQL, 13 to 18.
    package var majorVersion: Int { Self.majorVersions[magic] ?? 0 }

    static let majorVersions: [UInt16: Int] = [
        0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18,
    ]

    /// Reads the first 40 bytes of a segment; more may follow.
    ///
    /// `subject` names it in errors.
    ///
    /// - Throws: `truncated`, `malformed` (no WAL at all), `unsupported` (another version or page size).
    package init(parsing bytes: RawSpan, subject: String = "WAL segment") throws(PostgresError) {
        func failure(_ kind: PostgresError.Kind, offset: Int? = nil, _ detail: String) -> PostgresError {
            PostgresError(kind, subject: subject, offset: offset, detail: detail)
        }
        guard bytes.byteCount >= Self.byteCount else {
            throw failure(.truncated, "\(bytes.byteCount) bytes are too few for a segment's header")
        }
        guard !bytes.extracting(0..<Self.byteCount).isZero else {
            throw failure(.malformed, offset: 0, "zeros in place of a segment's header: nothing was written to it")
        }
        magic = bytes.uint16(at: 0)
        guard Self.majorVersions[magic] != nil else {
            // All versions so far have 0xD0 or 0xD1 there.
            let isWAL = magic & 0xFE00 == 0xD000
            let digits = Hex.digits(magic, width: 4)
            throw failure(
                isWAL ? .unsupported : .malformed, offset: 0,
                isWAL
                    ? "WAL page magic \(digits) is of a PostgreSQL version other than 13 to 18"
                    : "\(digits) in place of a WAL page's magic: this is no WAL segment")
        }
        flags = bytes.uint16(at: 2)
        timeline = TimelineID(bytes.uint32(at: 4))
        pageAddress = LSN(bytes.uint64(at: 8))
        remainingByteCount = bytes.uint32(at: 16)
        guard flags & WALPageFlags.longHeader != 0, flags & ~WALPageFlags.all == 0 else {
            throw failure(
                .malformed, offset: 2, "page flags \(Hex.digits(flags, width: 4)): the page cannot begin a segment")
        }
        guard timeline.rawValue != 0 else { throw failure(.malformed, offset: 4, "timeline 0") }
        systemIdentifier = bytes.uint64(at: 24)
        guard let size = WALSegmentSize(byteCount: Int(bytes.uint32(at: 32))) else {
            throw failure(.malformed, offset: 32, "a segment size of \(bytes.uint32(at: 32)) bytes")
        }
        segmentSize = size
        guard bytes.uint32(at: 36) == 8192 else {
            throw failure(
                .unsupported, offset: 36, "WAL pages of \(bytes.uint32(at: 36)) bytes; only 8192 is supported")
        }
        blockSize = 8192
        guard pageAddress.rawValue.isMultiple(of: UInt64(size.byteCount)) else {
            throw failure(.malformed, offset: 8, "the page address \(pageAddress) is not the start of a segment")
        }
    }
}

/// Flags of a WAL page (`xlp_info`).
enum WALPageFlags {
    /// The page begins with the rest of a record begun before.
    static let continuation: UInt16 = 1
    /// The header is the long one.
    static let longHeader: UInt16 = 2
    /// Full-page images may be left out by some who compress WAL (`XLP_BKP_REMOVABLE`).
    static let backupRemovable: UInt16 = 4
    /// The record that should go on here was lost in a crash; the page begins a new one.
    static let overwroteContinuation: UInt16 = 8
    static let all: UInt16 = 15
}
