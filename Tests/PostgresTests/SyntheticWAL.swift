import Bytes

@testable import Postgres

/// Writes WAL as the server does, a record after the other over pages and segments, and notes which bytes a verifier
/// of single segments can vouch for.
struct SyntheticWAL {
    let size: WALSegmentSize
    let magic: UInt16
    let systemIdentifier: UInt64
    var timeline: TimelineID
    let firstNumber: UInt64
    private(set) var bytes: [UInt8] = []
    /// For each byte: whether a changed bit must be noticed.
    private(set) var isCovered: [Bool] = []
    private var previous: LSN

    init(
        size: WALSegmentSize, magic: UInt16 = 0xD110, systemIdentifier: UInt64 = 7_000_000_000_000_000_001,
        timeline: TimelineID = 1, firstNumber: UInt64 = 5
    ) {
        self.size = size
        self.magic = magic
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.firstNumber = firstNumber
        previous = LSN(firstNumber * UInt64(size.byteCount) - 64)
    }

    /// Bytes free on the current page.
    var pageRest: Int { (8192 - bytes.count % 8192) % 8192 }
    /// Bytes free in the current segment.
    var segmentRest: Int { (size.byteCount - bytes.count % size.byteCount) % size.byteCount }
    var segmentCount: Int { bytes.count / size.byteCount }

    func segment(_ index: Int) -> [UInt8] { Array(bytes[index * size.byteCount..<(index + 1) * size.byteCount]) }
    func coverage(_ index: Int) -> [Bool] { Array(isCovered[index * size.byteCount..<(index + 1) * size.byteCount]) }
    func name(_ index: Int) -> WALSegmentName {
        WALSegmentName(timeline: timeline, number: firstNumber + UInt64(index), size: size)
    }

    private var position: UInt64 { firstNumber * UInt64(size.byteCount) + UInt64(bytes.count) }

    private mutating func put(_ added: some Collection<UInt8>, covered: Bool) {
        bytes.append(contentsOf: added)
        isCovered.append(contentsOf: repeatElement(covered, count: added.count))
    }

    private mutating func beginPage(rest: Int, overwrites: Bool = false) {
        let isLong = bytes.count.isMultiple(of: size.byteCount)
        let flags: UInt16 = (rest > 0 ? 1 : 0) | (isLong ? 2 : 0) | (overwrites ? 8 : 0)
        let address = position
        put(little(magic) + little(flags) + little(timeline.rawValue), covered: true)
        put(little(address) + little(UInt32(rest)), covered: true)
        put([0, 0, 0, 0], covered: false)
        if isLong {
            put(little(systemIdentifier) + little(UInt32(size.byteCount)) + little(UInt32(8192)), covered: true)
        }
    }

    /// The bytes of the record that comes next.
    private func record(_ body: [UInt8], info: UInt8, manager: UInt8) -> [UInt8] {
        let head =
            little(UInt32(24 + body.count)) + little(UInt32(77)) + little(previous.rawValue) + [info, manager, 0, 0]
        var crc = CRC32C()
        crc.update(body.span.bytes)
        crc.update(head.span.bytes)
        return head + little(crc.value) + body
    }

    /// Appends a record; `overwrites` on a fresh page says that it takes the place of a lost one.
    mutating func append(_ body: [UInt8], info: UInt8 = 0, manager: UInt8 = 10, overwrites: Bool = false) {
        if pageRest == 0 { beginPage(rest: 0, overwrites: overwrites) }
        let record = record(body, info: info, manager: manager)
        let start = position
        let covers = pageWalk(record.count).endSegment == bytes.count / size.byteCount
        write(record, covered: covers)
        previous = LSN(start)
        put(repeatElement(0, count: (8 - bytes.count % 8) % 8), covered: false)
    }

    /// Appends as much of a record as fits on `pages` pages, and leaves it there.
    mutating func abandon(_ body: [UInt8], pages: Int) {
        if pageRest == 0 { beginPage(rest: 0) }
        let record = record(body, info: 0, manager: 10)
        let end = (bytes.count / 8192 + pages) * 8192
        var done = 0
        while bytes.count < end {
            if pageRest == 0 { beginPage(rest: record.count - done) }
            let count = min(pageRest, record.count - done)
            precondition(count == pageRest, "an abandoned record must not end")
            put(record[done..<done + count], covered: false)
            done += count
        }
    }

    /// Appends a switch record and the zeros after it.
    mutating func switchSegment() {
        append([], info: 0x40, manager: 0)
        put(repeatElement(0, count: segmentRest), covered: false)
    }

    /// Fills the segment with a record that ends where it ends.
    mutating func fillSegment(_ body: (Int) -> [UInt8]) {
        while segmentRest != 0 || bytes.isEmpty {
            if pageRest == 0 { beginPage(rest: 0) }
            precondition(pageRest >= 24, "no record ends here")
            append(body(pageRest - 24))
        }
    }

    private func pageWalk(_ count: Int) -> (endSegment: Int, Void) {
        var at = bytes.count
        var left = count
        while true {
            if at.isMultiple(of: 8192) { at += at.isMultiple(of: size.byteCount) ? 40 : 24 }
            let taken = min(left, 8192 - at % 8192)
            left -= taken
            if left == 0 { return ((at + taken - 1) / size.byteCount, ()) }
            at += taken
        }
    }

    private mutating func write(_ record: [UInt8], covered: Bool) {
        var done = 0
        while done < record.count {
            if pageRest == 0 { beginPage(rest: record.count - done) }
            let count = min(pageRest, record.count - done)
            put(record[done..<done + count], covered: covered)
            done += count
        }
    }
}

func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
