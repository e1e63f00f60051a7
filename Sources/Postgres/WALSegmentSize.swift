/// The size of a cluster's WAL segments, fixed by initdb: a power of two from 1 MiB to 1 GiB.
package struct WALSegmentSize: Hashable, Sendable, CustomStringConvertible {
    package let byteCount: Int

    /// Nil when PostgreSQL does not have segments of this size.
    package init?(byteCount: Int) {
        guard (1 << 20...1 << 30).contains(byteCount), byteCount.nonzeroBitCount == 1 else { return nil }
        self.byteCount = byteCount
    }

    private init(standard: Int) { byteCount = standard }

    /// 16 MiB, which initdb takes unless told otherwise.
    package static let standard = WALSegmentSize(standard: 16 << 20)

    /// Segments to one value of the middle eight digits of a segment's name: 4 to 4096.
    package var segmentsPerHigh: UInt64 { (1 << 32) / UInt64(byteCount) }

    package var description: String { "\(byteCount >> 20) MiB" }
}
