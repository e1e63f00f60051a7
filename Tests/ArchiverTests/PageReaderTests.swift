import Bytes
import Glibc
import Postgres
import TestSupport
import Testing

@testable import Archiver

@Suite struct PageReaderTests {
    /// A page with a header, the right checksum for `block`, and the given LSN.
    private static func page(block: UInt32, lsn: UInt64, fill: UInt8 = 7) -> [UInt8] {
        var page = [UInt8](repeating: fill, count: 8192)
        func set(_ value: UInt64, _ offset: Int, _ count: Int) {
            for index in 0..<count { page[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        }
        set(lsn >> 32, 0, 4)
        set(lsn & 0xFFFF_FFFF, 4, 4)
        set(0, 10, 2)
        set(28, 12, 2)
        set(8192, 14, 2)
        set(8192, 16, 2)
        set(8196, 18, 2)
        let checksum = PageChecksum.compute(page: page.span.bytes, blockNumber: block)
        set(UInt64(checksum), 8, 2)
        return page
    }

    private func read(
        _ directory: TemporaryDirectory, _ member: String, verifying: Bool = true, start: LSN = LSN(rawValue: 1000),
        afterOpening change: (String) throws -> Void = { _ in }
    ) throws -> (bytes: [UInt8], damaged: [PageReader.DamagedPage]) {
        let reader = PageReader(verifying: verifying, backupStart: start)
        let path = directory.path + member
        let open = try #require(try reader.open(path, member: member))
        try change(path)
        var bytes: [UInt8] = []
        var damaged: [PageReader.DamagedPage] = []
        while !open.isAtEnd {
            damaged += try reader.next(open) { chunk in chunk.withUnsafeBytes { bytes += $0 } }
        }
        return (bytes, damaged)
    }

    @Test func `a damaged page is reported once, and read as it is`() throws {
        let directory = try TemporaryDirectory()
        var contents: [UInt8] = []
        for block in 0..<70 { contents += Self.page(block: UInt32(block), lsn: 500) }
        contents += [UInt8](repeating: 0, count: 8192)
        contents[40 * 8192 + 100] ^= 1
        try directory.write(contents, to: "base/5/200")
        let (bytes, damaged) = try read(directory, "/base/5/200")
        #expect(bytes == contents)
        #expect(damaged.map(\.page) == [40])
        #expect(try read(directory, "/base/5/200", verifying: false).damaged.isEmpty)
    }

    @Test func `a page newer than the backup's start may be torn`() throws {
        let directory = try TemporaryDirectory()
        var contents = Self.page(block: 0, lsn: 1000)
        contents[5000] ^= 1
        try directory.write(contents, to: "base/5/200")
        #expect(try read(directory, "/base/5/200").damaged.isEmpty)
        #expect(try read(directory, "/base/5/200", start: LSN(rawValue: 1001)).damaged.map(\.page) == [0])
    }

    @Test func `pages of a later segment are counted from the relation's beginning`() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.page(block: 2 * 131_072, lsn: 5), to: "base/5/200.2")
        try directory.write(Self.page(block: 0, lsn: 5), to: "base/5/200.1")
        #expect(try read(directory, "/base/5/200.2").damaged.isEmpty)
        #expect(try read(directory, "/base/5/200.1").damaged.map(\.page) == [0])
    }

    @Test func `what is no relation is not verified`() throws {
        let directory = try TemporaryDirectory()
        try directory.write([UInt8](repeating: 9, count: 16384), to: "pg_xact/0000")
        #expect(try read(directory, "/pg_xact/0000").damaged.isEmpty)
    }

    @Test func `a file that shrinks is filled with zeros, one that grows is cut`() throws {
        let directory = try TemporaryDirectory()
        let contents = [UInt8](repeating: 3, count: 300_000)
        try directory.write(contents, to: "file")
        let shrunk = try read(directory, "/file") { path in #expect(truncate(path, 100_000) == 0) }
        #expect(shrunk.bytes == [UInt8](repeating: 3, count: 100_000) + [UInt8](repeating: 0, count: 200_000))
        let grown = try read(directory, "/file") { path in #expect(truncate(path, 400_000) == 0) }
        #expect(grown.bytes.count == 100_000)
    }

    @Test func `a file that has vanished is nil, one that cannot be read is an error`() throws {
        let directory = try TemporaryDirectory()
        let reader = PageReader(verifying: false, backupStart: LSN(rawValue: 0))
        #expect(try reader.open(directory.file("none"), member: "/none") == nil)
        try FileSystem.symbolicLink(to: "loop", at: directory.file("loop"))
        #expect(throws: SystemError(call: "open", path: directory.file("loop"), code: ELOOP)) {
            try reader.open(directory.file("loop"), member: "/loop")
        }
    }
}
