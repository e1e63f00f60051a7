import Bytes
import Glibc

/// One file or directory of a backup, as the streams take it.
struct BackupFile: Sendable {
    enum Kind: UInt8, Sendable { case regular, directory }

    /// Its place in the list.
    let index: Int
    /// The tar member's name: `/` and the path below the data directory; `/` for the directory itself.
    let path: String
    let kind: Kind
    let status: BackupFileStatus
}

/// What of a file's status goes into the backup.
struct BackupFileStatus: Equatable, Sendable {
    var byteCount: Int
    var mode: UInt16
    var userID: UInt32
    var groupID: UInt32
    var modified: Timestamp

    init(_ status: FileStatus) {
        byteCount = status.byteCount
        mode = UInt16(status.mode & 0o7777)
        userID = UInt32(status.userID)
        groupID = UInt32(status.groupID)
        modified = status.modified
    }

    init(byteCount: Int, mode: UInt16, userID: UInt32 = 0, groupID: UInt32 = 0, modified: Timestamp) {
        self.byteCount = byteCount
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.modified = modified
    }
}

/// What became of a file when it was read.
struct BackupFileResult: Equatable, Sendable {
    /// The status when it was opened; its size is the tar member's.
    var status: BackupFileStatus
    /// CRC-32C of the tar member's body.
    var crc32c: UInt32
    /// The number of the part that holds it.
    var part: Int
    var corrupt: CorruptPages?

    struct CorruptPages: Equatable, Sendable {
        var count = 0
        /// Page numbers within the file.
        var pages: [UInt32] = []
    }
}

/// All files of a backup in walk order, about 100 bytes each, with what became of them.
///
/// A cluster may have millions: paths lie in one array of bytes, the rest in one of fixed-size records. The streams take
/// files from it and give results back.
final class BackupFiles: Sendable {
    private struct Record {
        var pathStart: Int
        var pathCount: UInt16
        var kind: BackupFile.Kind
        var status: BackupFileStatus
        var crc32c: UInt32 = 0
        /// 0 until it is stored.
        var part: UInt32 = 0
    }

    private struct Table {
        var paths: [UInt8] = []
        var records: [Record] = []
        var corrupt: [Int: BackupFileResult.CorruptPages] = [:]
        var next = 0

        func path(_ record: Record) -> String {
            String(decoding: paths[record.pathStart..<record.pathStart + Int(record.pathCount)], as: UTF8.self)
        }
    }

    private let table = Locked(Table())

    /// Adds a file at the end.
    func append(_ path: String, _ kind: BackupFile.Kind, _ status: BackupFileStatus) {
        table.withLock { table in
            let bytes = path.utf8
            precondition(bytes.count <= Int(UInt16.max), "longer than any path of the system")
            table.records.append(
                Record(pathStart: table.paths.count, pathCount: UInt16(bytes.count), kind: kind, status: status))
            table.paths.append(contentsOf: bytes)
        }
    }

    var count: Int { table.withLock { $0.records.count } }

    /// Bytes of all regular files, as they were walked.
    var byteCount: Int {
        table.withLock { table in table.records.reduce(0) { $0 + ($1.kind == .regular ? $1.status.byteCount : 0) } }
    }

    /// The next file that no stream has taken; nil when all are.
    func takeNext() -> BackupFile? {
        table.withLock { table -> BackupFile? in
            guard table.next < table.records.count else { return nil }
            let index = table.next
            let record = table.records[index]
            table.next = index + 1
            return BackupFile(index: index, path: table.path(record), kind: record.kind, status: record.status)
        }
    }

    /// Notes that a file is in a part.
    func stored(_ file: BackupFile, _ result: BackupFileResult) {
        table.withLock { table in
            table.records[file.index].status = result.status
            table.records[file.index].crc32c = result.crc32c
            table.records[file.index].part = UInt32(result.part)
            if let corrupt = result.corrupt { table.corrupt[file.index] = corrupt }
        }
    }

    /// The file at `index` and its result; nil when it is in no part.
    func stored(at index: Int) -> (file: BackupFile, result: BackupFileResult)? {
        table.withLock { table -> (file: BackupFile, result: BackupFileResult)? in
            let record = table.records[index]
            guard record.part > 0 else { return nil }
            let file = BackupFile(index: index, path: table.path(record), kind: record.kind, status: record.status)
            let result = BackupFileResult(
                status: record.status, crc32c: record.crc32c, part: Int(record.part), corrupt: table.corrupt[index])
            return (file, result)
        }
    }

    /// Numbers of the files in each part, in walk order.
    func membersByPart() -> [(part: Int, members: [UInt32])] {
        let parts = table.withLock { table in table.records.map(\.part) }
        var members: [Int: [UInt32]] = [:]
        for (index, part) in parts.enumerated() where part > 0 { members[Int(part), default: []].append(UInt32(index)) }
        return members.sorted { $0.key < $1.key }.map { (part: $0.key, members: $0.value) }
    }

    /// Bytes of all stored files.
    var storedByteCount: Int {
        table.withLock { table in
            table.records.reduce(0) { $0 + ($1.part > 0 && $1.kind == .regular ? $1.status.byteCount : 0) }
        }
    }

    /// Damaged pages, and the files they are in.
    var damage: (pages: Int, files: Int) {
        table.withLock { table -> (pages: Int, files: Int) in
            (table.corrupt.values.reduce(0) { $0 + $1.count }, table.corrupt.count)
        }
    }

    func path(at index: UInt32) -> String {
        table.withLock { table in table.path(table.records[Int(index)]) }
    }
}
