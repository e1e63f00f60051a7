import Archiver
import Bytes
import Digests
import Glibc
import Postgres
import Repository
import Storage
import Streams
import TestSupport

/// A small backup in a store, made for tests: WAL-G's members, and ours when asked.
struct SyntheticBackup {
    /// A member of a part.
    struct Member {
        var entry: TarEntry
        var bytes: [UInt8]
        /// Whether the files metadata lists it.
        var isListed = true
    }

    var name = "base_000000010000000000000003"
    var method = CompressionMethod.lz4
    /// With sizes, checksums and digests, as we write them; else as WAL-G does.
    var isOurs = true
    var parts: [[Member]] = []
    var tablespaces: TablespaceSpec?
    var label: [Member]?
    var control: Member
    var sentinel = Sentinel()
    var writesTarFileSets = true
    var manifest: [UInt8]?

    static let time = Timestamp(seconds: 1_795_508_000)

    /// The control file of a cluster without page checksums: the files here are not made of pages.
    ///
    /// In PostgreSQL 15 the version of the checksums is at 252 and the file's own CRC-32C, of all before it, at 288.
    private static func withoutPageChecksums(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(252..<256, with: [0, 0, 0, 0])
        let crc = CRC32C.checksum(Array(bytes[..<288]).span.bytes)
        bytes.replaceSubrange(288..<292, with: withUnsafeBytes(of: crc.littleEndian) { Array($0) })
        return bytes
    }

    static func file(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) -> Member {
        Member(entry: TarEntry(path: path, byteCount: bytes.count, mode: mode, modified: time), bytes: bytes)
    }

    static func directory(_ path: String, mode: UInt32 = 0o700) -> Member {
        Member(entry: TarEntry(path: path, kind: .directory, mode: mode, modified: time), bytes: [])
    }

    /// A backup of a few files in two parts; the control file is a real one.
    init(seed: UInt64 = 1) throws {
        let bucket = try FixtureBucket("small-brotli")
        let folder = Layout.tarFolder("base_000000010000000000000003")
        let members = try Self.members(try bucket.bytes(folder + "pg_control.tar.br"), .brotli)
        control = Self.file("/global/pg_control", Self.withoutPageChecksums(members[0].bytes))
        let labels = try Self.members(try bucket.bytes(folder + "backup_label.tar.br"), .brotli)
        label = labels.map { Self.file($0.entry.path, $0.bytes) }
        let key = Layout.sentinel("base_000000010000000000000003").text
        sentinel = try Sentinel(parsing: try bucket.bytes(key), object: key)
        var random = SeededGenerator(seed: seed)
        parts = [
            [
                Self.directory("/"), Self.file("/PG_VERSION", Array("15\n".utf8)), Self.directory("/base"),
                Self.directory("/base/5"), Self.file("/base/5/1259", random.compressibleBytes(81920)),
                Self.file("/base/5/1259_fsm", random.compressibleBytes(24576)),
                Self.directory("/pg_wal"),
            ],
            [
                Self.directory("/global"), Self.file("/global/1260", random.compressibleBytes(8192)),
                Self.file("/base/5/2619", random.bytes(65536)), Self.file("/postgresql.conf", Array("a = b\n".utf8)),
                Self.file("/base/5/empty", []),
            ],
        ]
    }

    static func members(_ stored: [UInt8], _ format: StoredFormat) throws -> [(entry: TarEntry, bytes: [UInt8])] {
        var tar: [UInt8] = []
        let decompressor = try Decompressor(format)
        try decompressor.update(stored.span.bytes) { chunk throws(StreamError) in
            chunk.withUnsafeBytes { tar.append(contentsOf: $0) }
        }
        try decompressor.finish()
        var members: [(entry: TarEntry, bytes: [UInt8])] = []
        let reader = TarReader(end: .optional)
        try reader.update(tar.span.bytes) { event in
            switch event {
            case .entry(let entry): members.append((entry, []))
            case .body(let bytes): bytes.withUnsafeBytes { members[members.count - 1].bytes.append(contentsOf: $0) }
            case .endOfEntry: break
            }
        }
        return members
    }

    func tar(_ members: [Member]) throws -> [UInt8] {
        let writer = TarWriter()
        var bytes: [UInt8] = []
        for member in members {
            bytes += writer.header(for: member.entry)
            bytes += member.bytes
            bytes += writer.padding(after: member.bytes.count)
        }
        bytes += TarWriter.end
        var stored: [UInt8] = []
        let compressor = try Compressor(CompressionSettings(method: method))
        try compressor.update(bytes.span.bytes) { chunk throws(StreamError) in
            chunk.withUnsafeBytes { stored.append(contentsOf: $0) }
        }
        try compressor.finish { chunk throws(StreamError) in
            chunk.withUnsafeBytes { stored.append(contentsOf: $0) }
        }
        return stored
    }

    func tarName(_ base: String) -> String {
        method.fileExtension.isEmpty ? base : base + "." + method.fileExtension
    }

    func key(_ base: String) -> ObjectKey { Layout.tar(tarName(base), of: name) }

    /// Stores all objects, the sentinel last.
    @discardableResult
    func write(to store: any ObjectStore) async throws -> [ObjectKey] {
        var objects: [(key: ObjectKey, bytes: [UInt8])] = []
        for (index, part) in parts.enumerated() {
            objects.append((key(Layout.partName(index + 1)), try tar(part)))
        }
        objects.append((key("pg_control.tar"), try tar([control])))
        if let label { objects.append((key("backup_label.tar"), try tar(label))) }
        objects.append((Layout.filesMetadata(name), filesMetadata()))
        if let manifest { objects.append((Layout.manifest(name), manifest)) }
        var sentinel = sentinel
        sentinel.tablespaces = tablespaces
        if isOurs {
            let folder = Layout.folder(name)
            sentinel.integrity = BackupIntegrity(
                tool: "test",
                objects: objects.map { object in
                    BackupIntegrity.StoredObject(
                        name: String(object.key.text.dropFirst(folder.count)), byteCount: object.bytes.count,
                        sha256: MessageDigest.sha256(object.bytes.span.bytes))
                })
        }
        objects.append((Layout.sentinel(name), sentinel.encoded()))
        for object in objects { _ = try await store.put(object.bytes, at: object.key, .replace) }
        return objects.map(\.key)
    }

    func filesMetadata() -> [UInt8] {
        var bytes: [UInt8] = []
        var writer = FilesMetadataWriter()
        func emit(_ chunk: RawSpan) { chunk.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        for member in parts.joined() where member.isListed {
            var file = FileDescription(
                path: member.entry.path, modified: ZonedTimestamp(member.entry.modified))
            if isOurs, member.entry.kind == .regular {
                file.byteCount = member.bytes.count
                file.crc32c = CRC32C.checksum(member.bytes.span.bytes)
            }
            writer.add(file, emit)
        }
        if writesTarFileSets {
            for (index, part) in parts.enumerated() {
                writer.addTar(
                    tarName(Layout.partName(index + 1)), members: part.filter(\.isListed).map(\.entry.path), emit)
            }
        }
        writer.finish(emit)
        return bytes
    }

    /// What a restore must bring: contents by path, without leading slash.
    var contents: [String: [UInt8]] {
        var contents: [String: [UInt8]] = ["global/pg_control": control.bytes]
        for member in parts.joined() where member.entry.kind == .regular && member.isListed {
            contents[String(member.entry.path.dropFirst())] = member.bytes
        }
        for member in label ?? [] { contents[member.entry.path] = member.bytes }
        return contents
    }

    /// The contents of a restored directory.
    static func contents(of folder: TemporaryDirectory, _ name: String) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for path in try folder.tree(name) where !path.hasSuffix("/") {
            let file = folder.file(path)
            guard try FileSystem.linkStatus(file)?.kind == .regular else { continue }
            contents[String(path.dropFirst(name.count + 1))] = try FileSystem.contents(file)
        }
        return contents
    }
}
