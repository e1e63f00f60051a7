import Bytes
import Glibc
import Postgres

/// Reads one file after the other in chunks, verifying page checksums on the way.
///
/// One for each stream: the memory is reused. What a file lost since it was opened is read as zeros; what it gained is
/// not read.
final class PageReader {
    /// 256 KiB: stays in the second-level cache on its way through the stages.
    static let chunkSize = 256 << 10

    /// A page whose checksum is wrong, twice, although nobody can have been writing it.
    struct DamagedPage: Equatable {
        /// Within the file.
        let page: UInt32
        let stored: UInt16
        let computed: UInt16
    }

    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PageReader.chunkSize, alignment: 4096)
    private let verifies: Bool
    private let backupStart: LSN

    /// `verifies`: the cluster has page checksums; `backupStart` is where recovery from this backup begins.
    init(verifying verifies: Bool, backupStart: LSN) {
        self.verifies = verifies
        self.backupStart = backupStart
    }

    deinit { buffer.deallocate() }

    /// A file that is being read.
    final class OpenFile {
        fileprivate let file: FileDescriptor
        let status: FileStatus
        fileprivate var offset = 0
        /// The number of the file's first page in its relation; nil for a file without pages.
        fileprivate let firstPage: UInt32?

        fileprivate init(_ path: String, firstPage: UInt32?) throws(SystemError) {
            file = try FileDescriptor(opening: path, O_RDONLY | O_NOCTTY)
            status = try file.status()
            self.firstPage = firstPage
            file.advise(CInt(POSIX_FADV_SEQUENTIAL))
        }

        var isAtEnd: Bool { offset >= status.byteCount }
    }

    /// Opens the file; nil when it is no longer there.
    ///
    /// `member` is its path with a slash before it, below the data directory.
    func open(_ path: String, member: String) throws(SystemError) -> OpenFile? {
        let relation = verifies ? RelationPath(member.dropFirst()) : nil
        do throws(SystemError) {
            return try OpenFile(path, firstPage: relation?.firstBlock)
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    /// Hands the next chunk to `body` and says which of its pages are damaged.
    func next(
        _ open: OpenFile, _ body: (RawSpan) throws -> Void
    ) throws -> [DamagedPage] {
        let count = min(Self.chunkSize, open.status.byteCount - open.offset)
        let chunk = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        let read = try open.file.read(into: chunk, at: open.offset)
        if read < count {
            UnsafeMutableRawBufferPointer(rebasing: chunk[read...]).initializeMemory(as: UInt8.self, repeating: 0)
        }
        var damaged: [DamagedPage] = []
        if let first = open.firstPage {
            let pages = read / PageHeader.pageSize
            for page in 0..<pages {
                let number = UInt32(open.offset / PageHeader.pageSize + page)
                if let found = try damage(in: chunk, page, number, first, open.file) { damaged.append(found) }
            }
        }
        open.offset += count
        try body(UnsafeRawBufferPointer(chunk).bytes)
        return damaged
    }

    // As pg_basebackup judges: a page newer than the backup's start may be torn, for WAL will write it anew; so may one
    // that is being written now, which another reading shows.
    private func damage(
        in chunk: UnsafeMutableRawBufferPointer, _ page: Int, _ number: UInt32, _ first: UInt32,
        _ file: borrowing FileDescriptor
    ) throws(SystemError) -> DamagedPage? {
        let range = page * PageHeader.pageSize..<(page + 1) * PageHeader.pageSize
        let bytes = UnsafeMutableRawBufferPointer(rebasing: chunk[range])
        for attempt in 0..<4 {
            let span = UnsafeRawBufferPointer(bytes).bytes
            let verdict = PageChecksum.check(page: span, blockNumber: first &+ number)
            guard case .mismatch(let stored, let computed) = verdict, PageHeader(span).lsn < backupStart else {
                return nil
            }
            if attempt == 3 { return DamagedPage(page: number, stored: stored, computed: computed) }
            if attempt > 0 { usleep(1000) }
            let read = try file.read(into: bytes, at: Int(number) * PageHeader.pageSize)
            if read < bytes.count {
                UnsafeMutableRawBufferPointer(rebasing: bytes[read...]).initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
        return nil
    }
}
