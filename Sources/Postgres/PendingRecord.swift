import Bytes

/// A WAL record on its way through the verifier, page by page.
struct PendingRecord: Sendable {
    /// Bytes still to come; 0 when no record is under way.
    private(set) var remaining: UInt32 = 0
    /// The record's first 24 bytes, as far as they have come, as they lie in memory.
    private(set) var header = [3 of UInt64](repeating: 0)
    /// Where the record begins, in bytes from the segment's start.
    private(set) var offset = 0
    /// Whether it was seen from its first byte.
    private(set) var isVerifiable = false
    /// Whether its page says that it takes the place of a lost one.
    private(set) var isOverwrite = false

    /// Where the record begins when that is in an earlier segment.
    private(set) var carriedStart: LSN?

    private var headerCount = 0
    private var bodyChecksum = CRC32C()

    /// Starts a record of `length` bytes.
    mutating func begin(_ length: UInt32, at offset: Int, isOverwrite: Bool) {
        remaining = length
        self.offset = offset
        self.isOverwrite = isOverwrite
        isVerifiable = true
        carriedStart = nil
        headerCount = 0
        bodyChecksum = CRC32C()
    }

    /// Goes on with a record of which the segment before told.
    mutating func resume(_ carried: CarriedRecord) {
        remaining = carried.remaining
        offset = 0
        isOverwrite = carried.isOverwrite
        isVerifiable = true
        carriedStart = carried.start
        header = [3 of UInt64](repeating: 0)
        headerCount = carried.header.count
        for (index, byte) in carried.header.enumerated() {
            header[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8))
        }
        bodyChecksum = CRC32C(continuing: carried.bodyChecksum)
    }

    /// What the next segment needs to go on with the record; nil when none is under way, or it was not seen from its
    /// start.
    func carried(into segment: WALSegmentName, from start: LSN) -> CarriedRecord? {
        guard remaining > 0, isVerifiable else { return nil }
        var bytes: [UInt8] = []
        for index in 0..<headerCount / 8 {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: header[index] >> UInt64(8 * shift))) }
        }
        return CarriedRecord(
            segment: segment, start: carriedStart ?? LSN(rawValue: start.rawValue + UInt64(offset)),
            remaining: remaining, header: bytes, bodyChecksum: bodyChecksum.value, isOverwrite: isOverwrite)
    }

    /// Starts with the last `count` bytes of a record that began in an earlier segment.
    mutating func expectRest(_ count: UInt32) {
        remaining = count
        isVerifiable = false
        carriedStart = nil
    }

    /// Forgets the record: the rest of it was never written.
    mutating func giveUp() {
        remaining = 0
        isVerifiable = false
    }

    /// Takes the next bytes, not more than remain; true when they complete the header.
    mutating func add(_ bytes: RawSpan) -> Bool {
        remaining -= UInt32(bytes.byteCount)
        guard isVerifiable else { return false }
        guard headerCount < WALRecordHeader.byteCount else {
            bodyChecksum.update(bytes)
            return false
        }
        let taken = min(WALRecordHeader.byteCount - headerCount, bytes.byteCount)
        // Parts of a header come in multiples of 8 bytes: records are aligned, and pages end so.
        for offset in stride(from: 0, to: taken, by: 8) {
            header[(headerCount + offset) / 8] = UInt64(littleEndian: bytes.uint64(at: offset))
        }
        headerCount += taken
        bodyChecksum.update(bytes.extracting(taken..<bytes.byteCount))
        return headerCount == WALRecordHeader.byteCount
    }

    /// The CRC of the whole record: its body, then its header.
    var checksum: UInt32 {
        var checksum = bodyChecksum
        unsafe checksum.update(header.span.bytes.extracting(0..<WALRecordHeader.checkedByteCount))
        return checksum.value
    }
}
