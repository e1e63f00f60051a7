import Bytes
import Foundation
import Streams
import TestSupport
import Testing

@Suite struct TarReaderTests {
    @Test(arguments: [1, 7, 511, 512, 513, 4096, 1 << 20])
    func `what was written is read`(chunk: Int) throws {
        #expect(try TarSamples.read(TarSamples.archive(TarSamples.members), chunk: chunk) == TarSamples.members)
    }

    @Test func `generated archives come back`() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<60 {
            let members = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                let letters = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                    "abcdefgh/ä表 .-".randomElement(using: &generator) ?? "x"
                }
                var entry = TarEntry(path: "/" + String(letters) + "x")
                entry.mode = UInt32.random(in: 0...0o7777, using: &generator)
                entry.userID = Int.random(in: 0...5_000_000, using: &generator)
                entry.groupID = Int.random(in: 0...5_000_000, using: &generator)
                entry.modified = Timestamp(seconds: Int64.random(in: -1_000_000...20_000_000_000, using: &generator))
                let body = Samples.random(Int.random(in: 0...2000, using: &generator), seed: generator.next())
                entry.byteCount = body.count
                return TarMember(entry: entry, body: body)
            }
            let chunk = Int.random(in: 1...3000, using: &generator)
            #expect(try TarSamples.read(TarSamples.archive(members), chunk: chunk) == members)
        }
    }

    /// Makes an archive with python's tarfile in one of its formats.
    private static let maker = """
        import sys, io, tarfile
        archive = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=getattr(tarfile, sys.argv[1]))
        def add(name, body=b"", **fields):
            m = tarfile.TarInfo(name)
            m.size = len(body)
            m.mtime = 1700000000
            m.mode = 0o640
            for k, v in fields.items(): setattr(m, k, v)
            archive.addfile(m, io.BytesIO(body))
        add("/base/5/1259", b"x" * 8192, uid=26, gid=26, uname="postgres", gname="postgres")
        add("/base", type=tarfile.DIRTYPE, mode=0o700)
        add("empty")
        add("link", type=tarfile.SYMTYPE, linkname="/base")
        if sys.argv[1] != "USTAR_FORMAT":
            add("/" + "long/" * 60 + "name", b"y" * 700, uid=3000000000, mtime=-7)
            add("longlink", type=tarfile.LNKTYPE, linkname="t" * 300)
            add("größe", b"z")
        archive.close()
        """

    @Test(
        .enabled(if: Oracle.has("python3"), "no python3 here"),
        arguments: ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"], [1, 1000, 1 << 20])
    func `what python's tarfile writes is read`(format: String, chunk: Int) async throws {
        let archive = try await Oracle.run(["python3", "-X", "utf8", "-c", Self.maker, format])
        let time = TarSamples.time
        var expected = [
            TarMember(
                entry: TarEntry(
                    path: "/base/5/1259", byteCount: 8192, mode: 0o640, userID: 26, groupID: 26,
                    userName: "postgres", groupName: "postgres", modified: time),
                body: [UInt8](repeating: UInt8(ascii: "x"), count: 8192)),
            // tarfile adds the slash.
            TarMember(entry: TarEntry(path: "/base/", kind: .directory, mode: 0o700, modified: time)),
            TarMember(entry: TarEntry(path: "empty", mode: 0o640, modified: time)),
            TarMember(
                entry: TarEntry(path: "link", kind: .symbolicLink, mode: 0o640, modified: time, linkTarget: "/base")),
        ]
        if format != "USTAR_FORMAT" {
            expected += [
                TarMember(
                    entry: TarEntry(
                        path: "/" + String(repeating: "long/", count: 60) + "name", byteCount: 700, mode: 0o640,
                        userID: 3_000_000_000, modified: Timestamp(seconds: -7)),
                    body: [UInt8](repeating: UInt8(ascii: "y"), count: 700)),
                TarMember(
                    entry: TarEntry(
                        path: "longlink", kind: .hardLink, mode: 0o640, modified: time,
                        linkTarget: String(repeating: "t", count: 300))),
                TarMember(
                    entry: TarEntry(path: "größe", byteCount: 1, mode: 0o640, modified: time),
                    body: [UInt8(ascii: "z")]),
            ]
        }
        #expect(try TarSamples.read(archive, chunk: chunk) == expected)
    }

    @Test(
        .enabled(if: Oracle.has("tar"), "no tar here"), arguments: ["v7", "oldgnu", "gnu", "ustar", "posix"])
    func `what GNU tar writes is read`(format: String) async throws {
        let folder = try TemporaryDirectory()
        let root = URL(fileURLWithPath: folder.path + "/d")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let body = Samples.random(70001)
        try Data(body).write(to: root.appendingPathComponent("file"))
        try Data().write(to: root.appendingPathComponent("none"))
        try FileManager.default.createSymbolicLink(
            atPath: root.path + "/sym", withDestinationPath: "file")
        let archive = try await Oracle.run(
            [
                "tar", "-cf", "-", "--format=\(format)", "--sort=name", "--mtime=@1700000000", "--owner=pg:26",
                "--group=pg:27", "--mode=u=rw,go=", "d",
            ], in: folder.path)
        let members = try TarSamples.read(archive)
        #expect(members.map(\.entry.path) == ["d/", "d/file", "d/none", "d/sym"])
        #expect(members.map(\.entry.kind) == [.directory, .regular, .regular, .symbolicLink])
        #expect(members.map(\.body) == [[], body, [], []])
        #expect(members.allSatisfy { $0.entry.userID == 26 && $0.entry.groupID == 27 })
        #expect(members.allSatisfy { $0.entry.userName == (format == "v7" ? "" : "pg") })
        #expect(members.allSatisfy { $0.entry.modified == TarSamples.time })
        #expect(members.last?.entry.linkTarget == "file")
    }

    @Test func `global PAX headers hold until taken back`() throws {
        func extended(_ type: String, _ records: String) -> [UInt8] {
            var header = TarWriter().header(for: TarEntry(path: "x", byteCount: records.utf8.count))
            header[156] = Array(type.utf8)[0]
            return withChecksum(header) + [UInt8](records.utf8) + TarWriter().padding(after: records.utf8.count)
        }
        let plain = TarWriter().header(for: TarEntry(path: "plain"))
        let archive =
            extended("g", "16 uname=global\n17 mtime=12.3456\n") + plain
            + extended("x", "15 uname=local\n14 mtime=-1.5\n10 mtime=\n") + plain + plain
            + extended("x", "14 mtime=-1.5\n") + plain + TarWriter.end
        let entries = try TarSamples.read(archive).map(\.entry)
        #expect(entries.map(\.userName) == ["global", "local", "global", "global"])
        #expect(
            entries.map(\.modified) == [
                Timestamp(seconds: 12, nanoseconds: 345_600_000), Timestamp(seconds: 0),
                Timestamp(seconds: 12, nanoseconds: 345_600_000), Timestamp(seconds: -2, nanoseconds: 500_000_000),
            ])
    }

    private func withChecksum(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - sum.utf8.count) + sum
        header.replaceSubrange(148..<154, with: Array(text.utf8))
        header[154] = 0
        return header
    }

    @Test func `old checksums of signed bytes are accepted`() throws {
        var header = TarWriter().header(for: TarEntry(path: "a"))
        header[265] = 0xC3
        header[266] = 0xA9
        let right = withChecksum(header)
        let unsigned = right[148..<154].reduce(0) { $0 * 8 + Int($1 & 7) }
        let signed = String(unsigned - 512, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - signed.count) + signed + "\0 ").utf8))
        #expect(try TarSamples.read(header + TarWriter.end).first?.entry.userName == "é")
    }

    private static let small = TarSamples.archive([
        TarMember(entry: TarEntry(path: "/d", kind: .directory, mode: 0o700, modified: TarSamples.time)),
        TarSamples.file("/base/größe", Samples.random(700)),
        TarSamples.file("/base/5/1", Samples.random(512)),
    ])

    @Test func `every prefix is refused as cut`() throws {
        for count in Self.small.indices {
            let error = #expect(throws: StreamError.self) {
                try TarSamples.read(Array(Self.small[..<count]), chunk: 300)
            }
            #expect(error?.kind == .truncated)
            #expect(error?.offset == count)
        }
    }

    /// WAL-G's remote mode: the fixture `remote`, `pg_control.tar`, is one member and nothing else.
    @Test func `the end may be optional, between members alone`() throws {
        let whole = try TarSamples.read(Self.small)
        // Behind the directory; its PAX records, header, body of 2 blocks; header, body.
        let boundaries: [Int: Int] = [512: 1, 3072: 2, 4096: 3]
        for count in 0...Self.small.count {
            let read = { try TarSamples.read(Array(Self.small[..<count]), chunk: 300, end: .optional) }
            if let members = boundaries[count] {
                #expect(try read() == Array(whole.prefix(members)))
            } else if count < Self.small.count {
                let error = #expect(throws: StreamError.self) { try read() }
                #expect(error?.kind == .truncated)
            } else {
                #expect(try read() == whole)
            }
        }
    }

    /// Bytes that no checksum covers (bodies, PAX records, padding) change only what they are.
    @Test func `every flipped byte of a header is refused or changes nothing`() throws {
        let members = try TarSamples.read(Self.small)
        // Blocks: directory, PAX header, PAX records, header, 2 of body, header, body, 2 of end.
        let headers: Set = [0, 1, 3, 6]
        var refused = 0
        var harmless = 0
        for index in Self.small.indices {
            for mask: UInt8 in [0x01, 0x20, 0xFF] {
                var flipped = Self.small
                flipped[index] ^= mask
                do {
                    let read = try TarSamples.read(flipped)
                    if read == members { harmless += 1 }
                    if headers.contains(index / 512) {
                        #expect(read == members, "byte \(index) ^ \(mask)")
                        #expect(148..<156 ~= index % 512, "byte \(index) ^ \(mask)")
                    } else {
                        #expect(read.count == members.count)
                    }
                } catch is StreamError {
                    refused += 1
                }
            }
        }
        print("tar: \(refused) of \(Self.small.count * 3) flips refused, \(harmless) harmless")
        #expect(refused >= 4 * 504 * 3 + 1024 * 3)
    }

    /// Damage behind right checksums, as an attacker would make it: anything may come of it but a crash.
    @Test func `mutated archives never crash`() throws {
        var generator = SeededGenerator(seed: 11)
        let base = TarSamples.archive(TarSamples.members.suffix(6))
        let interesting: [UInt8] = [0, 0x20, 0x2D, 0x30, 0x37, 0x39, 0x3D, 0x0A, 0x7F, 0x80, 0xBF, 0xC0, 0xFF]
        var refused = 0
        for _ in 0..<1500 {
            var archive = base
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<archive.count - 1024, using: &generator)
                archive[index] = interesting.randomElement(using: &generator) ?? 0
            }
            for start in stride(from: 0, to: archive.count - 1024, by: 512)
            where archive[start + 257..<start + 262].elementsEqual("ustar".utf8) {
                archive.replaceSubrange(
                    start..<start + 512, with: withChecksum(Array(archive[start..<start + 512])))
            }
            do { _ = try TarSamples.read(archive) } catch is StreamError { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test func `only zeros may follow the end`() throws {
        let zeros = [UInt8](repeating: 0, count: 9000)
        #expect(try TarSamples.read(Self.small + zeros, chunk: 1000).count == 3)
        let expected = StreamError(
            .corrupted, operation: "read tar", offset: Self.small.count + 9000,
            detail: "bytes other than zero follow the end of the archive")
        #expect(throws: expected) { try TarSamples.read(Self.small + zeros + [1], chunk: 1000) }
    }

    @Test func `what is not read is refused`() throws {
        let plain = TarWriter().header(for: TarEntry(path: "a"))
        func changed(_ index: Int, _ value: UInt8) -> [UInt8] {
            var header = plain
            header[index] = value
            return withChecksum(header) + TarWriter.end
        }
        var huge = TarWriter().header(for: TarEntry(path: "a", byteCount: (1 << 20) + 1))
        huge[156] = UInt8(ascii: "x")
        var negative = plain
        negative.replaceSubrange(124..<136, with: [UInt8](repeating: 0xFF, count: 12))
        var overflowing = plain
        overflowing.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xFF, count: 11))
        var dangling = TarWriter().header(for: TarEntry(path: String(repeating: "n", count: 101)))
        dangling.removeLast(512)
        let cases: [([UInt8], StreamError.Kind, Int, String)] = [
            (changed(156, UInt8(ascii: "S")), .unsupported, 0, "the member a is of the type \"S\", which is not read"),
            (changed(0, 0), .corrupted, 0, "a member has no name"),
            (changed(0, 0xFF), .unsupported, 0, "a member's name is not UTF-8: \u{FFFD}"),
            (changed(124, UInt8(ascii: "9")), .corrupted, 0, "the size in the tar header is not a number"),
            (withChecksum(huge), .unsupported, 0, "an extended header of 1048577 bytes; 1 MiB is the limit"),
            (withChecksum(negative), .corrupted, 0, "the size in the tar header is negative"),
            (withChecksum(overflowing), .unsupported, 0, "the size in the tar header does not fit 64 bits"),
            (
                dangling + TarWriter.end, .corrupted, 1024,
                "the archive ends behind an extended header, without its member"
            ),
            (
                plain + TarWriter.end.prefix(512) + plain, .corrupted, 1024,
                "a single block of zeros stands between members"
            ),
        ]
        for (archive, kind, offset, detail) in cases {
            #expect(throws: StreamError(kind, operation: "read tar", offset: offset, detail: detail)) {
                try TarSamples.read(archive)
            }
        }
    }

    @Test func `an error of the handler ends the archive`() throws {
        struct Refusal: Error {}
        let reader = TarReader()
        #expect(throws: Refusal.self) { try reader.update(Self.small.span.bytes) { _ in throw Refusal() } }
        #expect(throws: Refusal.self) { try reader.finish() }
    }
}
