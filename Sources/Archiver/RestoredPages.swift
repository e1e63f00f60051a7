import Bytes
import Postgres

/// Pages of restored files whose checksum is wrong.
struct DamagedPages: Equatable, Sendable {
    private(set) var count = 0
    /// The first few, as `/base/5/16396 block 12`.
    private(set) var examples: [String] = []

    private static let exampleLimit = 5

    mutating func add(_ path: MemberPath, block: UInt32) {
        count += 1
        if examples.count < Self.exampleLimit { examples.append("\(path) block \(block)") }
    }

    mutating func add(_ other: DamagedPages) {
        count += other.count
        examples += other.examples.prefix(Self.exampleLimit - examples.count)
    }

    var listed: String { examples.joined(separator: ", ") + (count > examples.count ? ", …" : "") }
}

/// Checks the page checksums of a file as it is restored, where nothing better vouches for its bytes.
///
/// Left out are pages written between the backup's start and its end, which may be torn and are made whole by replay,
/// and free space maps, which may be torn at any time and are mended by PostgreSQL.
struct RestoredPages {
    let path: MemberPath
    private let firstBlock: UInt32
    private let duration: ClosedRange<LSN>
    private var block: UInt32 = 0
    private var rest: [UInt8] = []
    private(set) var damaged = DamagedPages()

    /// `duration` is that of the backup; nil when the file has no pages to check.
    init?(_ path: MemberPath, duration: ClosedRange<LSN>) {
        guard let relation = RelationPath(path.text), !relation.isTemporary, relation.fork != .freeSpaceMap else {
            return nil
        }
        self.path = path
        self.duration = duration
        firstBlock = relation.firstBlock
    }

    mutating func append(_ bytes: RawSpan) {
        var position = 0
        if !rest.isEmpty {
            position = min(PageHeader.pageSize - rest.count, bytes.byteCount)
            bytes.extracting(0..<position).withUnsafeBytes { rest.append(contentsOf: $0) }
            guard rest.count == PageHeader.pageSize else { return }
            let page = rest
            rest.removeAll(keepingCapacity: true)
            check(page.span.bytes)
        }
        while bytes.byteCount - position >= PageHeader.pageSize {
            check(bytes.extracting(position..<position + PageHeader.pageSize))
            position += PageHeader.pageSize
        }
        bytes.extracting(position..<bytes.byteCount).withUnsafeBytes { rest.append(contentsOf: $0) }
    }

    private mutating func check(_ page: RawSpan) {
        defer { block += 1 }
        guard case .mismatch = PageChecksum.check(page: page, blockNumber: firstBlock &+ block),
            !duration.contains(PageHeader(page).lsn)
        else { return }
        damaged.add(path, block: block)
    }
}
