/// The checksum that PostgreSQL keeps in each 8 KiB page of a cluster with data checksums.
///
/// A variation of FNV-1a over 32 interleaved columns of 32-bit words, mixed with the block's number in the whole
/// relation, so that a page at the wrong place is noticed.
/// Source: PostgreSQL, src/include/storage/checksum_impl.h.
package enum PageChecksum {
    /// What a page's checksum says.
    package enum Verdict: Equatable, Sendable {
        case valid
        /// Never initialised, therefore without a checksum (`PageIsNew`); an all-zero page is one.
        case new
        case mismatch(stored: UInt16, computed: UInt16)
    }

    /// Compares as pg_checksums and pg_basebackup do: a new page has no checksum.
    ///
    /// A running server may be writing the page: a mismatch counts only when the page's LSN is below the start of the
    /// backup and a second reading says the same. `blockNumber` counts from the relation's first segment.
    package static func check(page: RawSpan, blockNumber: UInt32) -> Verdict {
        let header = PageHeader(page)
        guard !header.isNew else { return .new }
        let computed = compute(page: page, blockNumber: blockNumber)
        return computed == header.checksum ? .valid : .mismatch(stored: header.checksum, computed: computed)
    }

    /// The checksum that belongs into a page; `page` must have exactly 8192 bytes.
    ///
    /// Never 0.
    package static func compute(page: RawSpan, blockNumber: UInt32) -> UInt16 {
        precondition(page.byteCount == PageHeader.pageSize, "a page has \(PageHeader.pageSize) bytes")
        var sums = offsets
        // The first row holds the checksum itself, which counts as zero.
        for column in 0..<32 {
            let word = page.uint32(at: column * 4)
            mix(&sums[column], column == 2 ? word & 0xFFFF_0000 : word)
        }
        var offset = rowSize
        while offset < PageHeader.pageSize {
            for column in 0..<32 { mix(&sums[column], page.uint32(at: offset &+ column &* 4)) }
            offset &+= rowSize
        }
        for _ in 0..<2 {
            for column in 0..<32 { mix(&sums[column], 0) }
        }
        var folded = blockNumber
        for column in 0..<32 { folded ^= sums[column] }
        return UInt16(folded % 65535 + 1)
    }

    private static let rowSize = 128

    @inline(__always)
    private static func mix(_ sum: inout UInt32, _ word: UInt32) {
        let mixed = sum ^ word
        sum = mixed &* 16_777_619 ^ mixed >> 17
    }

    private static let offsets: [32 of UInt32] = [
        0x5B1F_36E9, 0xB852_5960, 0x02AB_50AA, 0x1DE6_6D2A, 0x79FF_467A, 0x9BB9_F8A3, 0x217E_7CD2, 0x83E1_3D2C,
        0xF8D4_474F, 0xE39E_B970, 0x42C6_AE16, 0x9932_16FA, 0x7B09_3B5D, 0x98DA_FF3C, 0xF718_902A, 0x0B1C_9CDB,
        0xE58F_764B, 0x1876_36BC, 0x5D7B_3BB1, 0xE73D_E7DE, 0x92BE_C979, 0xCCA6_C0B2, 0x304A_0979, 0x85AA_43D4,
        0x7831_25BB, 0x6CA8_EAA2, 0xE407_EAC6, 0x4B5C_FC3E, 0x9FBF_8C76, 0x15CA_20BE, 0xF2CA_9FD3, 0x959B_D756,
    ]
}
