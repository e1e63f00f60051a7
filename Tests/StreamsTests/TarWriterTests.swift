import Bytes
import Foundation
import Streams
import Testing

@Suite struct TarWriterTests {
    /// Python's tarfile lists what it reads, one member a line of JSON, with the digest of its body.
    private static let lister = """
        import sys, json, tarfile, hashlib
        archive = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
        for m in archive:
            body = archive.extractfile(m).read() if m.isreg() else b""
            kind = "file" if m.isreg() else "dir" if m.isdir() else "sym" if m.issym() else "hard"
            print(json.dumps([m.name, kind, m.size, m.mode, m.uid, m.gid, m.uname, m.gname, int(m.mtime),
                m.linkname, body.hex()[:64]]))
        """

    private func expectedLine(_ member: TarMember) throws -> String {
        let entry = member.entry
        let kind =
            switch entry.kind {
            case .regular: "file"
            case .directory: "dir"
            case .symbolicLink: "sym"
            default: "hard"
            }
        let values: [Any] = [
            // tarfile drops trailing slashes, and so makes an empty name of the root's.
            entry.path == "/" ? "" : entry.path, kind, entry.byteCount, Int(entry.mode), entry.userID, entry.groupID,
            entry.userName, entry.groupName, Int(entry.modified.seconds), entry.linkTarget,
            member.body.prefix(32).map { String(format: "%02x", $0) }.joined(),
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: values), as: UTF8.self)
    }

    private func normalized(_ line: some StringProtocol) throws -> String {
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        return String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
    }

    @Test(.enabled(if: Oracle.has("python3"), "no python3 here"))
    func `python's tarfile reads what we write`() async throws {
        let output = try await Oracle.run(
            ["python3", "-c", Self.lister], input: TarSamples.archive(TarSamples.members))
        let lines = try String(decoding: output, as: UTF8.self).split(separator: "\n").map { try normalized($0) }
        #expect(lines == (try TarSamples.members.map { try expectedLine($0) }))
    }

    @Test(.enabled(if: Oracle.has("tar"), "no tar here"))
    func `GNU tar reads what we write`() async throws {
        let archive = TarSamples.archive(TarSamples.members)
        let output = try await Oracle.run(["tar", "-tPf", "-", "--quoting-style=literal"], input: archive)
        let names = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(names == TarSamples.members.map(\.entry.path))
        let bodies = try await Oracle.run(["tar", "-xPOf", "-", "/base/5/1259", "/base/5/odd"], input: archive)
        #expect(bodies == Samples.random(8192) + Samples.random(513))
    }

    @Test(.enabled(if: Oracle.has("python3"), "no python3 here"))
    func `a size over 8 GiB is in a PAX record`() async throws {
        let size = 9 << 30
        let header = TarWriter().header(for: TarEntry(path: "/large", byteCount: size))
        #expect(header.count == 3 * 512)
        let lister = """
            import sys, io, tarfile
            a = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), mode="r:")
            print(a.firstmember.size, a.firstmember.name)
            """
        let output = try await Oracle.run(["python3", "-c", lister], input: header)
        #expect(String(decoding: output, as: UTF8.self) == "\(size) /large\n")
        // The limit itself still fits the ustar field.
        #expect(TarWriter().header(for: TarEntry(path: "/large", byteCount: (8 << 30) - 1)).count == 512)
        #expect(TarWriter().header(for: TarEntry(path: "/large", byteCount: 8 << 30)).count == 3 * 512)
    }

    static let times: [(Timestamp, Int64)] = [
        (Timestamp(seconds: 10), 10),
        (Timestamp(seconds: 10, nanoseconds: 499_999_999), 10),
        (Timestamp(seconds: 10, nanoseconds: 500_000_000), 11),
    ]

    @Test(arguments: times)
    func `times are rounded to seconds`(time: Timestamp, expected: Int64) throws {
        let archive = TarSamples.archive([TarMember(entry: TarEntry(path: "a", modified: time))])
        #expect(try TarSamples.read(archive).first?.entry.modified == Timestamp(seconds: expected))
    }

    @Test(arguments: [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)])
    func `padding fills the last block`(count: Int, expected: Int) {
        #expect(TarWriter().padding(after: count) == [UInt8](repeating: 0, count: expected))
    }
}
