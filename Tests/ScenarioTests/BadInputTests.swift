import Bytes
import Foundation
import TestSupport
import Testing

/// What cannot work is refused: one clear line that names the object, the documented exit code, nothing stored.
@Suite struct BadInputTests {
    /// One command line that cannot work.
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let words: [String]
        var settings: [String: String] = [:]
        let status: Int32
        /// What the line must name.
        let names: String

        var testDescription: String { what }
    }

    /// A directory with an archive, a segment that could be pushed, and a place without rights.
    final class Place {
        let folder: TemporaryDirectory
        let segment = SyntheticSegment(number: 3)

        init() throws {
            folder = try TemporaryDirectory("wal-s-bad")
            try FileSystem.setMode(folder.path, 0o755)
            for name in ["archive", "pg_wal", "work"] { try FileSystem.makeDirectory(folder.file(name), mode: 0o755) }
            _ = try folder.write(segment.bytes, to: "pg_wal/\(segment.name)")
            if TestEnvironment.isRoot { try Program.check(["chown", "-R", "postgres:", folder.path]) }
        }

        func run(_ test: Case) throws -> ProgramResult {
            let expanded = { [folder, segment] (text: String) in
                text.replacing("@", with: folder.path).replacing("%", with: segment.name)
            }
            // Nothing of this process's environment: what the commands see is the case alone.
            let variables =
                ["PATH=/usr/bin:/bin", "HOME=\(folder.path)", "WALS_STATE_DIR=\(folder.path)/state"]
                + test.settings.map { "\($0.key)=\(expanded($0.value))" }
            let command = ["env", "-i", "-C", folder.file("work")] + variables + [try BuiltBinary.path()]
            return try Program.run(Cluster.asServerUser(command + test.words.map(expanded)))
        }

        func stored() throws -> [String] { try folder.tree("archive") }
    }

    static let push = ["wal-push", "@/pg_wal/%"]
    static let archive = ["WALG_FILE_PREFIX": "@/archive"]

    static func with(_ name: String, _ value: String) -> [String: String] {
        archive.merging([name: value]) { $1 }
    }

    static let cases: [Case] = [
        Case(what: "no prefix, push", words: push, status: 78, names: "WALG_S3_PREFIX"),
        Case(what: "no prefix, list", words: ["backup-list"], status: 78, names: "WALG_S3_PREFIX"),
        Case(what: "no prefix, fetch", words: ["wal-fetch", "%", "@/x"], status: 204, names: "WALG_S3_PREFIX"),
        Case(
            what: "URL without scheme", words: push, settings: ["WALG_S3_PREFIX": "bucket/p"], status: 78,
            names: "WALG_S3_PREFIX"),
        Case(
            what: "URL without bucket", words: push, settings: ["WALG_S3_PREFIX": "s3:///p"], status: 78,
            names: "WALG_S3_PREFIX"),
        Case(
            what: "endpoint that is no URL", words: push,
            settings: [
                "WALG_S3_PREFIX": "s3://b/p", "AWS_ENDPOINT": "http://", "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
            ],
            status: 78, names: "AWS_ENDPOINT"),
        Case(
            what: "two storages", words: push, settings: with("WALG_S3_PREFIX", "s3://b/p"), status: 78,
            names: "WALG_FILE_PREFIX"),
        Case(
            what: "root that is not there", words: push, settings: ["WALG_FILE_PREFIX": "@/nowhere"], status: 78,
            names: "nowhere"),
        Case(
            what: "configuration that is not there", words: ["--config", "@/none.json"] + push, settings: archive,
            status: 78, names: "none.json"),
        Case(
            what: "file that is not there", words: ["wal-push", "@/pg_wal/0000000100000000000000FF"], settings: archive,
            status: 1, names: "0000000100000000000000FF"),
        Case(what: "no file named", words: ["wal-push"], settings: archive, status: 64, names: "wal-push"),
        Case(what: "unknown command", words: ["wal-pusch"], settings: archive, status: 64, names: "wal-push"),
        Case(what: "unknown flag", words: ["backup-list", "--jsn"], settings: archive, status: 64, names: "--json"),
        Case(what: "command of another day", words: ["wal-show"], settings: archive, status: 64, names: "wal-show"),
        Case(
            what: "server down", words: ["backup-push", "@/work"], settings: with("PGHOST", "@/nowhere"), status: 69,
            names: "nowhere"),
        Case(
            what: "restore of what is not there", words: ["backup-fetch", "@/new", "base_000000010000000000000099"],
            settings: archive, status: 1, names: "base_000000010000000000000099"),
        Case(
            what: "restore without a name", words: ["backup-fetch", "@/new"], settings: archive, status: 64,
            names: "backup"),
        // walg-faults.md, F7: settings that mean nothing.
        Case(
            what: "codec lz5", words: push, settings: with("WALG_COMPRESSION_METHOD", "lz5"), status: 78,
            names: "WALG_COMPRESSION_METHOD"),
        Case(
            what: "concurrency many", words: push, settings: with("WALG_UPLOAD_CONCURRENCY", "many"), status: 78,
            names: "WALG_UPLOAD_CONCURRENCY"),
        Case(
            what: "concurrency -3", words: push, settings: with("WALG_UPLOAD_CONCURRENCY", "-3"), status: 78,
            names: "WALG_UPLOAD_CONCURRENCY"),
        Case(
            what: "retries x", words: push, settings: with("S3_MAX_RETRIES", "x"), status: 78, names: "S3_MAX_RETRIES"),
        Case(
            what: "part size", words: push, settings: with("S3_MAX_PART_SIZE", "20 parts"), status: 78,
            names: "S3_MAX_PART_SIZE"),
        Case(
            what: "path style perhaps", words: push, settings: with("AWS_S3_FORCE_PATH_STYLE", "perhaps"), status: 78,
            names: "AWS_S3_FORCE_PATH_STYLE"),
        Case(
            what: "log level", words: push, settings: with("WALG_LOG_LEVEL", "CHATTY"), status: 78,
            names: "WALG_LOG_LEVEL"),
        Case(
            what: "delta origin", words: push, settings: with("WALG_DELTA_ORIGIN", "NEWEST"), status: 78,
            names: "WALG_DELTA_ORIGIN"),
        Case(
            what: "libsodium key", words: push, settings: with("WALG_LIBSODIUM_KEY", "short-secret-word"), status: 78,
            names: "WALG_LIBSODIUM_KEY"),
        Case(
            what: "PGP key", words: push, settings: with("WALG_PGP_KEY", "not a key"), status: 78, names: "WALG_PGP_KEY"
        ),
        Case(
            what: "PGP key path", words: push, settings: with("WALG_PGP_KEY_PATH", "/nonexistent"), status: 78,
            names: "WALG_PGP_KEY_PATH"),
        Case(
            what: "GPG key id", words: push, settings: with("WALG_GPG_KEY_ID", "ABCDEF01"), status: 78,
            names: "WALG_GPG_KEY_ID"),
        Case(
            what: "prevent overwrite maybe", words: push, settings: with("WALG_PREVENT_WAL_OVERWRITE", "maybe"),
            status: 78, names: "WALG_PREVENT_WAL_OVERWRITE"),
        Case(
            what: "segment size of another cluster", words: push, settings: with("WALG_PG_WAL_SIZE", "64"), status: 78,
            names: "WALG_PG_WAL_SIZE"),
        Case(
            what: "delta steps six", words: push, settings: with("WALG_DELTA_MAX_STEPS", "six"), status: 78,
            names: "WALG_DELTA_MAX_STEPS"),
        Case(
            what: "tar size 1G", words: push, settings: with("WALG_TAR_SIZE_THRESHOLD", "many"), status: 78,
            names: "WALG_TAR_SIZE_THRESHOLD"),
        Case(
            what: "settings, fetch", words: ["wal-fetch", "%", "@/x"],
            settings: with("WALG_DOWNLOAD_CONCURRENCY", "many"), status: 204, names: "WALG_DOWNLOAD_CONCURRENCY"),
    ]

    @Test(arguments: cases)
    func `one line names it, the exit code is the documented one, nothing is stored`(_ test: Case) throws {
        let place = try Place()
        let result = try place.run(test)
        #expect(result.status == test.status, "\(result.errors)")
        let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("ERROR: ") }
        #expect(errors.count == 1, "\(result.errors)")
        #expect(errors.first?.contains(test.names) == true, "\(result.errors)")
        #expect(!result.errors.contains("short-secret-word") && !result.errors.contains("not a key"))
        #expect(try place.stored().isEmpty)
    }

    @Test func `a target that cannot be written is one clear line`() throws {
        let place = try Place()
        try FileSystem.setMode(place.folder.file("archive"), 0o555)
        let result = try place.run(Case(what: "", words: Self.push, settings: Self.archive, status: 77, names: ""))
        // As root without a server's user there is nothing that cannot be written.
        #expect(result.status == 77, "\(result.errors)")
        #expect(result.errors.contains("archive"))
        try FileSystem.setMode(place.folder.file("archive"), 0o755)
    }

    @Test(.enabled(if: TestEnvironment.isRoot, "a tmpfs needs root"))
    func `a full disk is one clear line, leaves nothing, and is over when there is room again`() throws {
        let place = try Place()
        let archive = place.folder.file("archive")
        try Program.check(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "none", archive])
        defer { _ = try? Program.check(["umount", archive]) }
        let settings = Self.archive.merging(["WALG_COMPRESSION_METHOD": "none"]) { $1 }
        let test = Case(what: "", words: Self.push, settings: settings, status: 1, names: "")
        let result = try place.run(test)
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains("No space left") && result.errors.contains(place.segment.name))
        #expect(try place.stored().filter { $0.contains("wal_005/") }.isEmpty)
        try Program.check(["mount", "-o", "remount,size=8m", archive])
        #expect(try place.run(test).status == 0)
    }
}
