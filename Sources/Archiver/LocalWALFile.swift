package import Bytes
import Digests
import Glibc
package import Postgres

/// A file that PostgreSQL wants archived, looked at before a byte of it leaves: name, size, header.
package struct LocalWALFile: Sendable {
    /// What the file is; nil for a file of another name, which only `WALS_PUSH_ANY_FILE` lets through.
    package let kind: WALFileName?
    package let name: String
    package let path: String
    package let byteCount: Int
    /// The cluster that wrote the segment; nil for files that do not say.
    package let systemIdentifier: UInt64?

    /// Checks the file at `path`.
    ///
    /// Segments and partial segments must be whole: the size their own header states (and `expectedSize`, when it is
    /// given), the address and timeline of the name, and content. With `allowAnyName`, any plain name is taken and no
    /// header is looked at.
    ///
    /// - Throws: `ArchiverError` (`usage`, `corrupted`, `localFile`).
    package init(path: String, expectedSize: WALSegmentSize?, allowAnyName: Bool) throws {
        self.path = path
        name = Path.name(path)
        kind = allowAnyName ? nil : WALFileName(name)
        guard kind != nil || allowAnyName else {
            throw ArchiverError(
                .usage,
                "\(name): not the name of a WAL segment, .partial, .history or .backup file; nothing was pushed "
                    + "(WALS_PUSH_ANY_FILE=true takes any plain name)")
        }
        guard Self.isPlain(name) else {
            throw ArchiverError(
                .usage, "\(path): the name is not plain (up to 64 of 0-9 A-Z a-z . _ -); nothing was pushed")
        }
        do throws(SystemError) {
            // Not waiting for a writer, should the path be a pipe.
            let file = try FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK)
            let status = try file.status()
            guard status.kind == .regular else { throw SystemError(call: "open", path: path, code: EISDIR) }
            byteCount = status.byteCount
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 16)
            defer { buffer.deallocate() }
            let count = try file.read(into: buffer, at: 0)
            head = Array(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } catch {
            throw ArchiverError(.localFile, "\(name): \(error); nothing was pushed")
        }
        switch kind {
        case .segment(let segment), .partial(let segment):
            systemIdentifier = try Self.check(segment, name, head, byteCount, expectedSize)
        case .history(let timeline):
            systemIdentifier = nil
            do {
                _ = try TimelineHistory(parsing: FileSystem.contents(path, limit: 1 << 20), timeline: timeline)
            } catch {
                throw ArchiverError(.corrupted, "\(name): not a timeline history: \(error); nothing was pushed")
            }
        case .backupHistory:
            systemIdentifier = nil
            guard head.starts(with: Array("START WAL LOCATION".utf8)) else {
                throw ArchiverError(.corrupted, "\(name): not a backup history file; nothing was pushed")
            }
        case nil: systemIdentifier = nil
        }
    }

    private let head: [UInt8]

    private static func check(
        _ segment: WALSegmentName, _ name: String, _ head: [UInt8], _ byteCount: Int, _ expected: WALSegmentSize?
    ) throws -> UInt64 {
        func refuse(_ what: String) -> ArchiverError {
            ArchiverError(.corrupted, "\(name): \(what); nothing was pushed, PostgreSQL keeps the file and asks again")
        }
        guard byteCount > 0 else { throw refuse("the segment is empty") }
        if head.allSatisfy({ $0 == 0 }) { throw refuse("the segment begins with zeros: it holds no WAL") }
        let header: WALSegmentHeader
        do {
            header = try WALSegmentHeader(parsing: head.span.bytes)
        } catch {
            throw refuse("no WAL segment: \(error)")
        }
        guard header.segmentSize.byteCount == byteCount else {
            throw refuse("the file has \(byteCount) bytes, its header says \(header.segmentSize.byteCount)")
        }
        if let expected, expected != header.segmentSize {
            throw ArchiverError(
                .configuration,
                "\(name): segments of this cluster have \(header.segmentSize.byteCount >> 20) MiB, WALG_PG_WAL_SIZE says "
                    + "\(expected.byteCount >> 20); nothing was pushed")
        }
        let start = segment.start(header.segmentSize)
        guard header.pageAddress == start else {
            throw refuse("the content is that of \(header.pageAddress), the name says \(start): a recycled file")
        }
        guard header.timeline <= segment.timeline else {
            throw refuse("the content is of timeline \(header.timeline.rawValue)")
        }
        return header.systemIdentifier
    }

    /// The SHA-256 of the whole file.
    package func contentDigest() throws -> [UInt8] {
        let digest = MessageDigest(.sha256)
        var chunks = try Chunks(self)
        while try chunks.next({ digest.update($0) }) {}
        return digest.finish()
    }

    /// One reading of the file, from start to end, in chunks of at most 256 KiB.
    package struct Chunks: ~Copyable {
        private let file: FileDescriptor
        private let buffer: UnsafeMutableRawBufferPointer
        private let name: String
        private let expected: Int
        private var total = 0

        package init(_ source: LocalWALFile) throws(SystemError) {
            file = try FileDescriptor(opening: source.path, O_RDONLY)
            buffer = .allocate(byteCount: 256 << 10, alignment: 4096)
            name = source.name
            expected = source.byteCount
        }

        deinit { buffer.deallocate() }

        /// Hands the next chunk to `body`; false at the end.
        ///
        /// - Throws: `ArchiverError` of kind `corrupted` when the file is not as long as it was when it was checked.
        package mutating func next(_ body: (RawSpan) throws -> Void) throws -> Bool {
            let count = try file.read(into: buffer)
            total += count
            guard count > 0 ? total <= expected : total == expected else {
                throw ArchiverError(
                    .corrupted,
                    "\(name): had \(expected) bytes, \(total) when read: it is being written; nothing was pushed")
            }
            guard count > 0 else { return false }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
            return true
        }
    }

    /// Names that are one path component and harmless in any store.
    package static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64 && name.utf8.first != 0x2E
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2E, 0x5F, 0x2D].contains(byte)
            }
    }
}
