import Bytes
import Glibc

/// A copy of a bucket that WAL-G made, with the objects' times, and what is known of its backups.
///
/// From `../shared/fixtures/walg`, or, those called `small-…`, from `Tests/ScenarioTests/Fixtures`, which a clone has.
package final class FixtureBucket: Sendable {
    /// A restore that WAL-G itself has made, with the state of the source then.
    package struct Case: Sendable, CustomStringConvertible {
        package let fixture: String
        package let id: String
        /// A name or `LATEST`.
        package let backup: String
        /// Settings of the recovery.
        package let recovery: [(name: String, value: String)]
        package let checks: [(database: String, sql: String, result: String)]
        package let dumpDigest: String?
        package let userData: String?
        /// A directory that replay needs.
        package let neededDirectory: String?
        /// The segment that is missing in the archive, where one is.
        package let gap: String?

        package var description: String { "\(fixture) \(id)" }
    }

    package let name: String
    package let path: String
    private let folder: TemporaryDirectory

    /// Copies the bucket.
    package init(_ name: String) throws {
        guard let source = Self.source(name) else {
            throw SystemError(call: "open", path: "the fixture \(name)", code: ENOENT)
        }
        self.name = name
        folder = try TemporaryDirectory("wal-s-bucket")
        path = folder.file("bucket")
        let times = try FileSystem.contents(Path.join(source, "mtimes.tsv"))
        for line in times.split(separator: 0x0A) {
            let fields = line.split(separator: 0x09).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 2, let time = Timestamp(rfc3339: fields[0]) else { continue }
            let bytes = try FileSystem.contents(Path.join(source, "bucket/" + fields[1]))
            try folder.write(bytes, to: "bucket/" + fields[1])
            let file = try FileDescriptor(opening: object(fields[1]), O_WRONLY)
            try file.setModified(time)
        }
        try FileSystem.setMode(folder.path, 0o755)
    }

    /// The file of an object.
    package func object(_ key: String) -> String { Path.join(path, key) }

    /// Replaces an object's bytes and keeps its time; nil removes it.
    package func change(_ key: String, to bytes: [UInt8]?) throws {
        let file = object(key)
        guard let bytes else {
            try FileSystem.removeFile(file)
            return
        }
        let modified = try FileSystem.status(file)?.modified
        try folder.write(bytes, to: "bucket/" + key)
        if let modified { try FileDescriptor(opening: file, O_WRONLY).setModified(modified) }
    }

    /// Names of the objects below a folder, which has a closing slash.
    package func names(in folder: String) throws -> [String] {
        try FileSystem.names(in: object(folder)).filter { name in
            (try? FileSystem.status(object(folder + name)))??.kind == .regular
        }
    }

    package func bytes(_ key: String) throws -> [UInt8] { try FileSystem.contents(object(key)) }

    private static func source(_ name: String) -> String? {
        if let shared = SharedMaterial.path("fixtures/walg/\(name)") { return shared }
        let own = Path.join(SharedMaterial.packageRoot, "Tests/ScenarioTests/Fixtures/\(name)")
        return (try? FileSystem.status(own)) ?? nil == nil ? nil : own
    }

    package static func has(_ name: String) -> Bool { source(name) != nil }

    /// All fixtures that are here.
    package static let all: [String] = {
        var names: Set<String> = []
        let folders = [
            Path.join(SharedMaterial.packageRoot, "Tests/ScenarioTests/Fixtures"), SharedMaterial.path("fixtures/walg"),
        ]
        for folder in folders.compactMap({ $0 }) {
            for name in (try? FileSystem.names(in: folder)) ?? []
            where (try? FileSystem.status(Path.join(folder, name + "/expected.json"))) ?? nil != nil {
                names.insert(name)
            }
        }
        return names.sorted()
    }()

    /// The document beside the bucket.
    package static func expected(_ name: String) throws -> JSONValue {
        guard let source = source(name) else {
            throw SystemError(call: "open", path: "the fixture \(name)", code: ENOENT)
        }
        return try JSONValue.parse(try FileSystem.contents(Path.join(source, "expected.json")))
    }

    /// The major version of the server it was made with.
    package static func postgresVersion(_ name: String) -> Int {
        (try? expected(name).member("pg_version")?.integer()) ?? nil ?? 0
    }

    package static func cases(_ name: String) -> [Case] {
        guard let document = try? expected(name) else { return [] }
        return (document.member("cases")?.array ?? []).map { entry in
            let arguments = (entry.member("fetch_args")?.array ?? []).compactMap(\.string)
            return Case(
                fixture: name, id: entry.member("id")?.string ?? "",
                backup: entry.member("backup")?.string ?? "",
                recovery: (entry.member("recovery")?.object ?? []).map { ($0.name, $0.value.string ?? "") },
                checks: (entry.member("checks")?.array ?? []).map { check in
                    (
                        check.member("db")?.string ?? "", check.member("sql")?.string ?? "",
                        check.member("result")?.string ?? ""
                    )
                },
                dumpDigest: entry.member("dump_sha256")?.string,
                userData: arguments.first == "--target-user-data" ? arguments.last : nil,
                neededDirectory: entry.member("needs_directory")?.string, gap: entry.member("gap")?.string)
        }
    }
}
