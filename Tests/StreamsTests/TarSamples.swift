import Bytes
import Streams

/// A member with its bytes, as a test sees it.
struct TarMember: Equatable {
    var entry: TarEntry
    var body: [UInt8] = []
}

enum TarSamples {
    static func archive(_ members: [TarMember]) -> [UInt8] {
        let writer = TarWriter()
        var bytes: [UInt8] = []
        for member in members {
            bytes += writer.header(for: member.entry) + member.body + writer.padding(after: member.body.count)
        }
        return bytes + TarWriter.end
    }

    static func read(
        _ bytes: [UInt8], chunk: Int = 1 << 20, end: TarReader.EndRule = .required
    ) throws -> [TarMember] {
        var members: [TarMember] = []
        var isOpen = false
        let reader = TarReader(end: end)
        try Samples.forEachChunk(of: bytes, chunk) {
            try reader.update($0) { event in
                switch event {
                case .entry(let entry):
                    guard !isOpen else { throw Oracle.Failure(description: "an entry within an entry") }
                    isOpen = true
                    members.append(TarMember(entry: entry))
                case .body(let span):
                    span.withUnsafeBytes { members[members.count - 1].body.append(contentsOf: $0) }
                case .endOfEntry:
                    guard isOpen else { throw Oracle.Failure(description: "an end without an entry") }
                    isOpen = false
                }
            }
        }
        try reader.finish()
        for member in members where member.body.count != member.entry.byteCount {
            throw Oracle.Failure(description: "\(member.entry.path) has \(member.body.count) bytes")
        }
        return members
    }

    static let time = Timestamp(seconds: 1_700_000_000)

    static func file(_ path: String, _ body: [UInt8]) -> TarMember {
        TarMember(
            entry: TarEntry(
                path: path, byteCount: body.count, userID: 1000, groupID: 100, userName: "postgres",
                groupName: "users", modified: time),
            body: body)
    }

    /// What a data directory has, and names that need every kind of header.
    static let members: [TarMember] = [
        TarMember(entry: TarEntry(path: "/", kind: .directory, mode: 0o700, modified: time)),
        TarMember(entry: TarEntry(path: "/base/5", kind: .directory, mode: 0o700, modified: time)),
        file("/base/5/1259", Samples.random(8192)),
        file("/base/5/empty", []),
        file("/base/5/odd", Samples.random(513)),
        TarMember(
            entry: TarEntry(
                path: "/link", kind: .symbolicLink, mode: 0o777, modified: time, linkTarget: "base/5/1259")),
        TarMember(
            entry: TarEntry(
                path: "/hard", kind: .hardLink, mode: 0o600, modified: time, linkTarget: "/base/5/1259")),
        file("/" + String(repeating: "n", count: 99), [1]),
        file("/" + String(repeating: "p", count: 60) + "/" + String(repeating: "n", count: 100), [2]),
        file("/" + String(repeating: "p", count: 154) + "/" + String(repeating: "n", count: 100), [3]),
        file("/" + String(repeating: "p", count: 155) + "/" + String(repeating: "n", count: 100), [4]),
        file("/" + String(repeating: "n", count: 101), [5]),
        file("/" + String(repeating: "deep/", count: 200) + "file", [6]),
        file("/base/größe-表", [7]),
        TarMember(
            entry: TarEntry(
                path: "/long-link", kind: .symbolicLink, mode: 0o777, modified: time,
                linkTarget: String(repeating: "t", count: 101))),
        TarMember(
            entry: TarEntry(
                path: "/ids", byteCount: 1, mode: 0o640, userID: 2_097_152, groupID: 3_000_000_000,
                userName: String(repeating: "u", count: 40), groupName: "größe", modified: time), body: [8]),
        TarMember(entry: TarEntry(path: "/before-1970", byteCount: 1, modified: Timestamp(seconds: -5)), body: [9]),
    ]
}
