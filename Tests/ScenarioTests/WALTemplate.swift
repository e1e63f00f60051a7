import Bytes
import Foundation
import Storage
import TestSupport

/// One cluster, made once: its base backup, and its WAL with six marker rows, one segment each after the second.
///
/// Segments have 1 MiB, so that copies and recoveries are quick.
struct WALTemplate: Sendable {
    /// Holds `base`, the backup, and `wal`, the archived files as PostgreSQL wrote them.
    let folder: TemporaryDirectory
    /// Archived files by name, in order.
    let files: [(name: String, bytes: [UInt8])]
    /// The segment that holds row 3: what faults are made on.
    let target: String
    /// `global/pg_control` of the backup.
    let control: [UInt8]
    /// What an archive of it holds, by codec: the claim and the WAL.
    let objects: [String: [(key: ObjectKey, bytes: [UInt8])]]

    static let codecs = ["lz4": ".lz4", "zstd": ".zst", "brotli": ".br", "none": ""]

    private static let made = Task { try await make() }
    private static let madeBig = Task { try await makeBig() }

    static var shared: WALTemplate { get async throws { try await made.value } }

    /// Another cluster, with full segments of 16 MiB; its archive is to be made by the test.
    static var big: WALTemplate { get async throws { try await madeBig.value } }

    func bytes(_ name: String) -> [UInt8] { files.first { $0.name == name }?.bytes ?? [] }

    var segments: [String] { files.map(\.name).filter { $0.utf8.count == 24 } }

    static func key(_ name: String, _ codec: String) -> String { "wal_005/" + name + (codecs[codec] ?? "") }

    /// An archive of this cluster; `change` makes what is stored different.
    func archive(
        _ place: ArchivePlace, _ codec: String = "lz4",
        _ change: (inout [(key: ObjectKey, bytes: [UInt8])]) throws -> Void = { _ in }
    ) async throws -> WALArchive {
        var contents = objects[codec] ?? []
        try change(&contents)
        return try await WALArchive.make(place, holding: contents)
    }

    private static func make() async throws -> WALTemplate {
        let folder = try TemporaryDirectory.untilExit("wal-s-template")
        try FileSystem.makeDirectory(folder.file("wal"))
        try ServerUser.own(folder.path)
        let wal = folder.file("wal")
        let cluster = try Cluster(
            archiveCommand: "test ! -f \(wal)/%f && cp %p \(wal)/%f", settings: ["archive_timeout = 0"],
            initdb: ["--wal-segsize=1"])
        try cluster.start()
        try cluster.sql("CREATE TABLE marks (n int PRIMARY KEY)")
        try cluster.program("pg_basebackup", ["-D", folder.file("base"), "-c", "fast", "-X", "none", "--no-sync"])
        try cluster.sql("INSERT INTO marks VALUES (1), (2)")
        try cluster.sql("SELECT pg_switch_wal()")
        let target = try cluster.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        for row in 3...6 {
            try cluster.sql("INSERT INTO marks VALUES (\(row))")
            try cluster.sql("SELECT pg_switch_wal()")
        }
        try cluster.stop()
        let names = try FileSystem.names(in: wal).sorted()
        let files = try names.map { (name: $0, bytes: try FileSystem.contents(wal + "/" + $0)) }
        var objects: [String: [(key: ObjectKey, bytes: [UInt8])]] = [:]
        for codec in codecs.keys { objects[codec] = try await packed(files, codec) }
        return WALTemplate(
            folder: folder, files: files, target: target,
            control: try FileSystem.contents(folder.file("base/global/pg_control")), objects: objects)
    }

    private static func makeBig() async throws -> WALTemplate {
        let folder = try TemporaryDirectory.untilExit("wal-s-template")
        try FileSystem.makeDirectory(folder.file("wal"))
        try ServerUser.own(folder.path)
        let wal = folder.file("wal")
        let cluster = try Cluster(
            archiveCommand: "test ! -f \(wal)/%f && cp %p \(wal)/%f", settings: ["archive_timeout = 0"])
        try cluster.start()
        try cluster.program("pgbench", ["-i", "-q", "-s", "4"])
        try cluster.stop()
        let names = try FileSystem.names(in: wal).sorted()
        let files = try names.map { (name: $0, bytes: try FileSystem.contents(wal + "/" + $0)) }
        guard files.count >= 3 else { throw ScenarioFailure("only \(names)") }
        return WALTemplate(
            folder: folder, files: files, target: names[1],
            control: try FileSystem.contents(cluster.data + "/global/pg_control"), objects: [:])
    }

    /// What the program makes of the files.
    private static func packed(
        _ files: [(name: String, bytes: [UInt8])], _ codec: String
    ) async throws -> [(key: ObjectKey, bytes: [UInt8])] {
        let archive = try await WALArchive.make(.directory)
        let program = try WALProgram(archive, ["WALG_COMPRESSION_METHOD": codec])
        for file in files {
            let outcome = try await program.push(file.name, file.bytes)
            guard outcome.exitCode == 0 else { throw ScenarioFailure(outcome.description) }
        }
        var objects: [(key: ObjectKey, bytes: [UInt8])] = []
        for key in try await archive.keys() { objects.append((ObjectKey(key), try await archive.stored(key) ?? [])) }
        guard objects.count == files.count + 1 else { throw ScenarioFailure("\(objects.map(\.key.text))") }
        return objects
    }
}

extension [(key: ObjectKey, bytes: [UInt8])] {
    /// Changes the object of that key.
    mutating func alter(_ key: String, _ change: (inout [UInt8]) -> Void) throws {
        guard let index = firstIndex(where: { $0.key.text == key }) else { throw ScenarioFailure("no \(key)") }
        change(&self[index].bytes)
    }
}

extension [UInt8] {
    /// One bit turned over.
    func flipped(bit: Int) -> [UInt8] {
        var copy = self
        copy[bit / 8] ^= 1 << UInt8(bit % 8)
        return copy
    }
}
