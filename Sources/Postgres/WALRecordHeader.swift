/// The fixed part of a WAL record, 24 bytes, which may be split over two pages.
///
///     offset 0   4 bytes  length of the record, these 24 bytes included      4  4  transaction
///     offset 8   8 bytes  position of the record before                     16  1  info   17  1  resource manager
///     offset 20  4 bytes  CRC-32C of all that follows, then of bytes 0 to 19
///
/// Source: PostgreSQL, src/include/access/xlogrecord.h, `XLogRecord`.
struct WALRecordHeader: Equatable, Sendable {
    static let byteCount = 24
    /// How much of the header the checksum covers.
    static let checkedByteCount = 20

    let totalByteCount: UInt32
    let previous: LSN
    let info: UInt8
    let resourceManager: UInt8
    let checksum: UInt32

    init(_ bytes: RawSpan) {
        totalByteCount = bytes.uint32(at: 0)
        previous = LSN(bytes.uint64(at: 8))
        info = bytes.uint8(at: 16)
        resourceManager = bytes.uint8(at: 17)
        checksum = bytes.uint32(at: 20)
    }

    /// Ends the segment: nothing after it is read.
    var isSwitch: Bool { Self.isSwitch(info: info, resourceManager: resourceManager) }

    /// Takes the place of a record whose continuation was lost in a crash.
    var isOverwriteContinuation: Bool { resourceManager == 0 && info & 0xF0 == 0xD0 }

    /// Built-in resource managers are 0 to 21 in all of 13 to 18; extensions' are 128 to 255.
    var hasKnownResourceManager: Bool { resourceManager <= 21 || resourceManager >= 128 }

    static func isSwitch(info: UInt8, resourceManager: UInt8) -> Bool { resourceManager == 0 && info & 0xF0 == 0x40 }
}
