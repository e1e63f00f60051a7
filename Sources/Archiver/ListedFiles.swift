import Bytes

/// The files that a backup lists, with what it says of each: about 50 bytes a file beside its path.
///
/// A cluster may have millions, and a dictionary takes several hundred bytes for each. The paths lie in one array of
/// bytes, the rest in one of fixed-size records; a table of numbers finds them. Files are numbered in the order they
/// came.
struct ListedFiles: Sendable {
    private struct Record {
        var pathStart: Int
        var byteCount: Int
        var seconds: Int64
        var nanoseconds: Int32
        var checksum: UInt32
        var pathCount: UInt32
        var known: Known
    }

    /// Which fields of a record mean something.
    private struct Known: OptionSet {
        let rawValue: UInt8
        static let byteCount = Known(rawValue: 1)
        static let modified = Known(rawValue: 2)
        static let checksum = Known(rawValue: 4)
    }

    private var paths: [UInt8] = []
    private var records: [Record] = []
    /// Open addressing: a file's number plus one; 0 where there is none.
    ///
    /// A power of two, never more than three quarters full.
    private var slots = [UInt32](repeating: 0, count: 64)

    var count: Int { records.count }

    var isEmpty: Bool { records.isEmpty }

    /// The number of the file at `path`; nil when it is not listed.
    func number(of path: MemberPath) -> Int? {
        Self.withBytes(path) { bytes in
            let slot = slot(for: bytes)
            return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
        }
    }

    func path(_ number: Int) -> MemberPath {
        let record = records[number]
        let bytes = paths[record.pathStart..<record.pathStart + Int(record.pathCount)]
        return MemberPath(trusted: String(decoding: bytes, as: UTF8.self))
    }

    /// What the backup says of a file.
    subscript(_ number: Int) -> ExpectedFile {
        let record = records[number]
        var expected = ExpectedFile()
        if record.known.contains(.byteCount) { expected.byteCount = record.byteCount }
        if record.known.contains(.checksum) { expected.checksum = record.checksum }
        if record.known.contains(.modified) {
            expected.modified = Timestamp(seconds: record.seconds, nanoseconds: record.nanoseconds)
        }
        return expected
    }

    /// Lists a file; of one that is listed already the last word counts.
    mutating func set(_ path: MemberPath, _ expected: ExpectedFile) {
        Self.withBytes(path) { bytes in set(bytes, expected) }
    }

    private mutating func set(_ bytes: UnsafeRawBufferPointer, _ expected: ExpectedFile) {
        var record = Record(
            pathStart: paths.count, byteCount: expected.byteCount ?? 0, seconds: expected.modified?.seconds ?? 0,
            nanoseconds: expected.modified?.nanoseconds ?? 0, checksum: expected.checksum ?? 0,
            pathCount: UInt32(bytes.count), known: [])
        if expected.byteCount != nil { record.known.insert(.byteCount) }
        if expected.modified != nil { record.known.insert(.modified) }
        if expected.checksum != nil { record.known.insert(.checksum) }
        let slot = slot(for: bytes)
        guard slots[slot] == 0 else {
            let number = Int(slots[slot]) - 1
            record.pathStart = records[number].pathStart
            records[number] = record
            return
        }
        paths.append(contentsOf: bytes)
        records.append(record)
        slots[slot] = UInt32(records.count)
        if records.count > slots.count / 4 * 3 { growSlots() }
    }

    private mutating func growSlots() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for number in records.indices {
            let record = records[number]
            let range = record.pathStart..<record.pathStart + Int(record.pathCount)
            let free = paths.withUnsafeBytes { slot(for: UnsafeRawBufferPointer(rebasing: $0[range])) }
            slots[free] = UInt32(number + 1)
        }
    }

    /// The slot that holds the file, or the free one where it belongs.
    private func slot(for path: UnsafeRawBufferPointer) -> Int {
        // Seeded by the process: nobody can make names that all fall into one slot.
        var hasher = Hasher()
        hasher.combine(bytes: path)
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] != 0, !isPath(path, of: records[Int(slots[slot]) - 1]) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func isPath(_ path: UnsafeRawBufferPointer, of record: Record) -> Bool {
        guard Int(record.pathCount) == path.count else { return false }
        return paths.withUnsafeBytes { paths in
            paths[record.pathStart..<record.pathStart + path.count].elementsEqual(path)
        }
    }

    private static func withBytes<Result>(_ path: MemberPath, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = path.text
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
