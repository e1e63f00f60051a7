import Bytes
import Foundation
import TestSupport
import Testing

/// The main job: archive, back up, and recover to each kind of target, on a real server, with the built program.
@Suite(.serialized, .enabled(if: Cluster.isAvailable, "no PostgreSQL here")) struct PointInTimeTests {
    /// A source cluster with its backup, and what it held at each target.
    final class Scene {
        let cluster: Cluster
        let binary: String
        let configuration: String
        var dumps: [String: String] = [:]
        var targets: [(name: String, settings: [String])] = []

        init(_ place: ArchivePlace, codec: String) throws {
            binary = try BuiltBinary.path()
            let folder = try Cluster(empty: "scene")
            self.folder = folder
            configuration = try place.configuration(
                in: folder.directory,
                adding: [
                    "WALG_COMPRESSION_METHOD": codec, "WALS_STATE_DIR": folder.directory + "/state",
                    "WALG_TAR_SIZE_THRESHOLD": "8000000",
                ])
            cluster = try Cluster(
                archiveCommand: "\(binary) --config \(configuration) wal-push %p",
                settings: ["archive_timeout = 0", "wal_level = replica"])
        }

        let folder: Cluster

        func wals(_ arguments: [String]) throws -> ProgramResult {
            try Program.run(
                Cluster.asServerUser([binary, "--config", configuration] + arguments),
                environment: cluster.environment, directory: folder.directory)
        }

        func check(_ arguments: [String]) throws {
            let result = try wals(arguments)
            guard result.status == 0 else {
                throw ScenarioFailure("\(arguments): \(result.status)\n\(result.output)\(result.errors)")
            }
        }

        /// Fills the cluster, backs it up, goes through the targets, and stops the server.
        func play() throws {
            try cluster.start()
            let place = folder.directory + "/space"
            try Program.check(Cluster.asServerUser(["mkdir", place]))
            try cluster.sql("CREATE TABLESPACE side LOCATION '\(place)'")
            try cluster.program("pgbench", ["-i", "-q", "-s", "2"])
            try cluster.sql(
                """
                CREATE TABLE marks (name text); CREATE TABLE beside TABLESPACE side AS SELECT generate_series(1, 5000) AS i;
                CREATE UNLOGGED TABLE forgotten AS SELECT 1 AS one; CREATE INDEX ON beside (i);
                """)
            try check(["backup-push", cluster.data])
            func mark(_ name: String) throws { try cluster.sql("INSERT INTO marks VALUES ('\(name)')") }
            func remember(_ target: String, _ settings: [String]) throws {
                dumps[target] = try PointInTimeTests.dump(cluster)
                targets.append((target, settings))
            }
            try mark("time")
            try cluster.program("pgbench", ["-T", "1", "-c", "2", "-n"])
            let time = try cluster.sql("SELECT clock_timestamp()")
            try remember("time", ["recovery_target_time = '\(time)'"])
            let xid = try cluster.sql("BEGIN; INSERT INTO marks VALUES ('xid'); SELECT pg_current_xact_id(); COMMIT;")
            try remember("xid", ["recovery_target_xid = '\(xid)'"])
            try mark("lsn")
            // The commit record ends right before the insert position.
            let lsn = try cluster.sql("SELECT pg_current_wal_insert_lsn()")
            try remember("lsn", ["recovery_target_lsn = '\(lsn)'"])
            try mark("name")
            try cluster.sql("SELECT pg_create_restore_point('before the disaster')")
            try remember("name", ["recovery_target_name = 'before the disaster'"])
            try cluster.sql("DROP TABLE pgbench_history; DELETE FROM beside WHERE i > 100")
            try mark("latest")
            try remember("latest", [])
            targets.append(("immediate", ["recovery_target = 'immediate'"]))
            // Recovery to the latest state needs the last segment archived, which a clean shutdown sees to.
            try cluster.stop()
        }
    }

    /// Restores the backup beside and recovers; the server runs when this returns.
    func restore(_ scene: Scene, _ target: (name: String, settings: [String])) throws -> Cluster {
        let restored = try Cluster(empty: "restored")
        let specification = try specification(scene, restored)
        try scene.check(["backup-fetch", restored.data, "LATEST", "--restore-spec", specification])
        #expect(try Program.run(["cat", restored.data + "/backup_manifest"]).status == 0)
        // The one file that a restore elsewhere must change: it says where tablespaces are.
        try restored.program("pg_verifybackup", ["-n", "-i", "tablespace_map", restored.data])
        let fetch = "\(scene.binary) --config \(scene.configuration) wal-fetch \"%f\" \"%p\""
        var lines = [
            "unix_socket_directories = '\(restored.directory)'", "archive_mode = off", "restore_command = '\(fetch)'",
            "recovery_target_action = promote",
        ]
        lines += target.settings
        try restored.configure(lines)
        try Program.check(Cluster.asServerUser(["touch", restored.data + "/recovery.signal"]))
        try restored.start()
        return restored
    }

    private func specification(_ scene: Scene, _ restored: Cluster) throws -> String {
        let number = try #require(
            FileManager.default.contentsOfDirectory(atPath: scene.cluster.data + "/pg_tblspc").first)
        let place = restored.directory + "/space"
        let path = restored.directory + "/spec.json"
        let text = """
            {"base_prefix":"\(restored.data)","tablespaces":["\(number)"],
             "\(number)":{"loc":"\(place)","link":"pg_tblspc/\(number)"}}
            """
        try FileSystem.replace(path, with: Array(text.utf8), mode: 0o644)
        if geteuid() == 0 { try Program.check(["chown", "postgres:", path]) }
        return path
    }

    static let cases: [(place: ArchivePlace, codec: String)] = ArchivePlace.available.map { place in
        (place, place == .s3 ? "zstd" : "lz4")
    }

    @Test(.timeLimit(.minutes(10)), arguments: cases)
    func `every kind of target is reached, and the restored cluster is sound and equal`(
        _ place: ArchivePlace, _ codec: String
    ) throws {
        let scene = try Scene(place, codec: codec)
        try scene.play()
        let wanted: [String: [String]] = [
            "immediate": [], "time": ["time"], "xid": ["time", "xid"], "lsn": ["time", "xid", "lsn"],
            "name": ["time", "xid", "lsn", "name"], "latest": ["time", "xid", "lsn", "name", "latest"],
        ]
        for target in scene.targets {
            let restored = try restore(scene, target)
            // Promotion follows the target within moments; recovery is over when writing is possible.
            for _ in 0..<300 where try restored.sql("SELECT pg_is_in_recovery()") == "t" {
                try Program.check(["sleep", "0.2"])
            }
            #expect(try restored.sql("SELECT pg_is_in_recovery()") == "f", "\(target.name): \(restored.log())")
            let marks = try restored.sql("SELECT name FROM marks").split(separator: "\n").map(String.init)
            #expect(marks == wanted[target.name], "\(target.name)")
            if let dump = scene.dumps[target.name] {
                let isEqual = try Self.dump(restored) == dump
                #expect(isEqual, "\(target.name): the dump differs")
            }
            #expect(
                try restored.sql("SELECT count(*) FROM forgotten") == "0", "an unlogged table is emptied by recovery")
            // PostgreSQL 14 or later.
            if FileManager.default.isExecutableFile(atPath: restored.path("pg_amcheck")) {
                try restored.program("pg_amcheck", ["--all", "--heapallindexed", "--install-missing"])
            }
            try restored.stop()
            try restored.program("pg_checksums", ["--check", "-D", restored.data])
        }
    }

    @Test func `promotion goes on archiving on the new timeline, and recovery follows it`() throws {
        let scene = try Scene(.directory, codec: "lz4")
        try scene.cluster.start()
        try scene.cluster.sql("CREATE TABLE marks (name text)")
        try scene.check(["backup-push", scene.cluster.data])
        try scene.cluster.sql("INSERT INTO marks VALUES ('one')")
        try scene.cluster.sql("SELECT pg_create_restore_point('fork')")
        try scene.cluster.sql("INSERT INTO marks VALUES ('lost')")
        try scene.cluster.stop()

        let second = try Cluster(empty: "second")
        try scene.check(["backup-fetch", second.data, "LATEST"])
        let fetch = "\(scene.binary) --config \(scene.configuration) wal-fetch \"%f\" \"%p\""
        try second.configure([
            "unix_socket_directories = '\(second.directory)'", "restore_command = '\(fetch)'",
            "recovery_target_name = 'fork'", "recovery_target_action = promote",
        ])
        try Program.check(Cluster.asServerUser(["touch", second.data + "/recovery.signal"]))
        try second.start()
        for _ in 0..<300 where try second.sql("SELECT pg_is_in_recovery()") == "t" {
            try Program.check(["sleep", "0.2"])
        }
        try second.sql("INSERT INTO marks VALUES ('two')")
        try second.stop()

        let third = try Cluster(empty: "third")
        try scene.check(["backup-fetch", third.data, "LATEST"])
        try third.configure([
            "unix_socket_directories = '\(third.directory)'", "restore_command = '\(fetch)'", "archive_mode = off",
            "recovery_target_timeline = latest",
        ])
        try Program.check(Cluster.asServerUser(["touch", third.data + "/recovery.signal"]))
        try third.start()
        for _ in 0..<300 where try third.sql("SELECT pg_is_in_recovery()") == "t" {
            try Program.check(["sleep", "0.2"])
        }
        #expect(try third.sql("SELECT name FROM marks") == "one\ntwo")
        #expect(try third.sql("SELECT timeline_id FROM pg_control_checkpoint()") == "3")
        try third.stop()
    }

    /// All data as text, without what recovery must change: the rows of unlogged tables, and where tablespaces are.
    static func dump(_ cluster: Cluster) throws -> String {
        try cluster.program("pg_dumpall", ["--no-unlogged-table-data"])
            .split(separator: "\n")
            .filter { line in !["CREATE TABLESPACE", "\\restrict", "\\unrestrict"].contains { line.hasPrefix($0) } }
            .joined(separator: "\n")
    }
}
