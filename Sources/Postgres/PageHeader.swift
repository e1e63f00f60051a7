/// The fixed part of a heap or index page, 24 bytes at offset 0 of each 8 KiB page.
///
///     offset 0   8 bytes   LSN: high word, then low word, host order
///     offset 8   2 bytes   checksum, 0 when the cluster has none
///     offset 10  2 bytes   flags
///     offset 12  2 bytes   lower   14  2 bytes  upper   16  2 bytes  special
///     offset 18  2 bytes   page size | layout version (8196 for 8 KiB, version 4)
///     offset 20  4 bytes   oldest prunable transaction
///
/// An all-zero page is valid: PostgreSQL extends files with zeros.
/// Source: PostgreSQL 15, src/include/storage/bufpage.h, `PageHeaderData`.
package struct PageHeader: Equatable, Sendable {
    /// The size of a page in bytes; servers built with another are refused by `ControlFile`.
    package static let pageSize = 8192
    /// Pages to a segment file of a relation: 1 GiB.
    package static let pagesPerSegment: UInt32 = 131_072

    package let lsn: LSN
    package let checksum: UInt16
    package let flags: UInt16
    package let lower: UInt16
    package let upper: UInt16
    package let special: UInt16
    package let sizeAndVersion: UInt16

    /// Reads the header of a page; `page` must have 24 bytes.
    package init(_ page: RawSpan) {
        precondition(page.byteCount >= 24, "a page has 24 bytes of header")
        lsn = LSN(UInt64(page.uint32(at: 0)) << 32 | UInt64(page.uint32(at: 4)))
        checksum = page.uint16(at: 8)
        flags = page.uint16(at: 10)
        lower = page.uint16(at: 12)
        upper = page.uint16(at: 14)
        special = page.uint16(at: 16)
        sizeAndVersion = page.uint16(at: 18)
    }

    /// Whether the page was never initialised (`PageIsNew`).
    package var isNew: Bool { upper == 0 }

    /// Whether the fields agree with each other as the server demands of every page it reads (`PageIsVerified`).
    package var isSound: Bool {
        flags & ~7 == 0 && lower <= upper && upper <= special && special <= PageHeader.pageSize
            && special.isMultiple(of: 8)
    }
}
