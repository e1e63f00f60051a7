import Bytes
import TestSupport
import Testing

/// `backup-fetch` as an operator calls it, and then what it says to do.
@Suite(.serialized, .enabled(if: RestoredCluster.bin(15) != nil, "needs PostgreSQL 15"))
struct RestoreCommandTests {
    @Test(arguments: ["small-brotli", "small-remote"])
    func `the restore command that is printed recovers the backup`(_ name: String) async throws {
        let bucket = try FixtureBucket(name)
        let cluster = try await RestoredCluster(version: 15)
        try await cluster.own(bucket.path)
        let config = try cluster.folder.write(
            Array("{\"WALG_FILE_PREFIX\": \"\(bucket.path)\"}".utf8), to: "walg.json")
        let spec = try cluster.folder.write(
            Array(
                """
                {"base_prefix": "\(cluster.data)", "tablespaces": ["16398"],
                 "16398": {"loc": "\(cluster.folder.file("ts"))", "link": "pg_tblspc/16398"}}
                """.utf8), to: "spec.json")
        try await cluster.own(cluster.folder.path)
        let program = try BuiltBinary.path()
        let flags = name == "small-remote" ? ["--restore-spec", spec] : []
        let fetched = try await cluster.run(
            [program, "backup-fetch", "--config", config, cluster.data, "LATEST"] + flags)
        #expect(fetched.exitCode == 0, "\(fetched)")
        #expect(fetched.text.isEmpty)
        let mark = "    restore_command = '"
        let line = try #require(fetched.errorText.split(separator: "\n").first { $0.hasPrefix(mark) })
        let command = line.dropFirst(mark.count).dropLast().replacing("''", with: "'")
        let test = try #require(FixtureBucket.cases(name).first)
        let started = try await cluster.start(restoreCommand: String(command), test.recovery)
        #expect(started.exitCode == 0, "\(started)\n\(cluster.log)")
        try await cluster.waitForPromotion()
        for check in test.checks {
            let result = try await cluster.sql(check.sql, database: check.database)
            #expect(result == check.result, "\(check.sql)")
        }
        try await cluster.stop()
    }

    @Test func `what cannot be restored ends with one line and its code`() async throws {
        let bucket = try FixtureBucket("small-brotli")
        let program = try BuiltBinary.path()
        let folder = try TemporaryDirectory()
        try folder.write([1], to: "file")
        try folder.write([1], to: "full/x")
        let name = "base_000000010000000000000003"
        let cases: [(arguments: [String], code: Int, message: String)] = [
            ([folder.file("data")], 64, "needs a backup name, LATEST, or --target-user-data"),
            ([folder.file("data"), name, "--target-user-data", "1"], 64, "a backup name or user data, not both"),
            ([folder.file("data"), "base_000000010000000000000099"], 1, "Backup 'base_000000010000000000000099' does"),
            ([folder.file("file"), "LATEST"], 1, "is a file, not a directory"),
            ([folder.file("full"), "LATEST"], 73, "is not empty (x): refused"),
            ([folder.file("data"), "LATEST", "--mask", "/nothing"], 64, "matches no file"),
            ([folder.file("data"), "LATEST", "--restore-spec", "/dev/null"], 78, "--restore-spec /dev/null"),
            ([folder.file("data"), "LATEST", "--restore-only", "db"], 64, "--restore-only"),
        ]
        for test in cases {
            let result = try await Shell.run(
                [program, "backup-fetch"] + test.arguments, environment: ["WALG_FILE_PREFIX": bucket.path])
            #expect(result.exitCode == test.code, "\(result)")
            let errors = result.errorText.split(separator: "\n").filter { $0.hasPrefix("ERROR: ") }
            #expect(errors.count == 1 && errors[0].contains(test.message), "\(result)")
        }
        #expect(try folder.tree() == ["file", "full/x"])
    }
}
