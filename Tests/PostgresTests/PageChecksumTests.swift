import Bytes
import TestSupport
import Testing

@testable import Postgres

@Suite struct PageChecksumTests {
    private let relation: [UInt8]

    /// The first three pages of `pg_class`, from a PostgreSQL 15 cluster with checksums.
    init() throws { relation = try Golden.bytes("relation-15") }

    private func page(_ number: Int) -> [UInt8] { Array(relation[number * 8192..<(number + 1) * 8192]) }

    @Test(arguments: 0..<3)
    func `a golden page is valid in its place and nowhere else`(number: Int) {
        let page = page(number)
        #expect(PageHeader(page.span.bytes).isSound)
        #expect(PageChecksum.check(page: page.span.bytes, blockNumber: UInt32(number)) == .valid)
        let stored = PageHeader(page.span.bytes).checksum
        let computed = PageChecksum.compute(page: page.span.bytes, blockNumber: 131_072)
        #expect(
            PageChecksum.check(page: page.span.bytes, blockNumber: 131_072)
                == .mismatch(stored: stored, computed: computed))
    }

    @Test func `every flipped byte is noticed`() {
        // Bytes 14 and 15 are `upper`: 0 there would make the page a new one, which one flipped bit does not.
        for offset in 0..<8192 {
            var flipped = page(0)
            flipped[offset] ^= 1 << UInt8(offset % 8)
            #expect(PageChecksum.check(page: flipped.span.bytes, blockNumber: 0) != .valid)
        }
    }

    @Test func `a new page has no checksum`() {
        let zeros = [UInt8](repeating: 0, count: 8192)
        #expect(PageChecksum.check(page: zeros.span.bytes, blockNumber: 7) == .new)
        #expect(PageHeader(zeros.span.bytes).isNew)
        let isZero = zeros.span.bytes.isZero
        #expect(isZero)
    }

    @Test func `the header's fields are read`() {
        let header = PageHeader(page(0).span.bytes)
        #expect(header.sizeAndVersion == 8196)
        #expect(header.special == 8192)
        #expect(header.lsn > LSN(0) && header.lsn < LSN(0x1_0000_0000))
        #expect(!header.isNew)
    }

    @Test(.enabled(if: !Servers.all.isEmpty, "no PostgreSQL here"), arguments: Servers.all)
    func `all pages of a new cluster are valid, and they are those that pg_checksums scans`(server: Server) async throws
    {
        try await server.withScratch { folder in
            let data = "\(folder)/data"
            try await server.run(["\(server.bin)/initdb", "-D", data, "-N", "-k"])
            let report = try await server.run(["\(server.bin)/pg_checksums", "-D", data]).text
            var files = 0
            var blocks = 0
            for database in ["global"] + (try FileSystem.names(in: "\(data)/base").map { "base/\($0)" }) {
                for name in try FileSystem.names(in: "\(data)/\(database)") {
                    guard let path = RelationPath("\(database)/\(name)") else { continue }
                    files += 1
                    let bytes = try readFile("\(data)/\(database)/\(name)")
                    for start in stride(from: 0, to: bytes.count, by: 8192) {
                        let page = bytes.span.bytes.extracting(start..<start + 8192)
                        let verdict = PageChecksum.check(
                            page: page, blockNumber: path.firstBlock + UInt32(start / 8192))
                        #expect(verdict == .valid || verdict == .new, "\(database)/\(name), byte \(start)")
                        blocks += 1
                    }
                }
            }
            #expect(report.contains("Files scanned:   \(files)\n"), "\(files): \(report)")
            #expect(report.contains("Blocks scanned:  \(blocks)\n"), "\(blocks): \(report)")
        }
    }
}
