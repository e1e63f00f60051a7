import Bytes

/// A valid WAL segment made by hand: a long page header, one XLOG_SWITCH record, zeros.
///
/// Source of the layouts: PostgreSQL 15, src/include/access/xlog_internal.h and xlogrecord.h.
package struct SyntheticSegment: Sendable {
    package var timeline: UInt32 = 1
    package var number: UInt64
    package var byteCount = 1 << 20
    package var systemIdentifier: UInt64 = 7_411_923_452_312_345_678
    /// Makes contents differ: the transaction id of the record.
    package var mark: UInt32 = 0

    package init(
        number: UInt64, timeline: UInt32 = 1, byteCount: Int = 1 << 20,
        systemIdentifier: UInt64 = 7_411_923_452_312_345_678, mark: UInt32 = 0
    ) {
        self.number = number
        self.timeline = timeline
        self.byteCount = byteCount
        self.systemIdentifier = systemIdentifier
        self.mark = mark
    }

    /// The name PostgreSQL gives the segment.
    package var name: String {
        let perLog = UInt64(1 << 32) / UInt64(byteCount)
        return Hex.digits(timeline, width: 8) + Hex.digits(UInt32(number / perLog), width: 8)
            + Hex.digits(UInt32(number % perLog), width: 8)
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func little(_ value: UInt64, _ width: Int) {
            for shift in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
        }
        let address = number * UInt64(byteCount)
        little(0xD110, 2)  // PostgreSQL 15
        little(0x0002, 2)  // XLP_LONG_HEADER
        little(UInt64(timeline), 4)
        little(address, 8)
        little(0, 4)
        little(0, 4)
        little(systemIdentifier, 8)
        little(UInt64(byteCount), 4)
        little(8192, 4)
        let start = bytes.count
        little(24, 4)
        little(UInt64(mark), 4)
        little(address - 64, 8)
        little(0x40, 1)  // XLOG_SWITCH of resource manager 0
        little(0, 1)
        little(0, 2)
        let crc = CRC32C.checksum(Array(bytes[start...]).span.bytes)
        little(UInt64(crc), 4)
        bytes += [UInt8](repeating: 0, count: byteCount - bytes.count)
        return bytes
    }
}
