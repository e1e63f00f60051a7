import Bytes
import Foundation
import Storage
import TestSupport
import Testing

/// Servers that archive and recover through the program: standby, timelines, targets, bursts, sizes of segments.
@Suite(.serialized, .enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALServerTests {
    /// A cluster that archives through the program.
    private func primary(_ archive: WALArchive, _ others: [String: String], settings: [String]) throws -> Cluster {
        let cleaning = WALProgram.foreign.map { "-u \($0)" }.joined(separator: " ")
        let cluster = try Cluster(
            archiveCommand: "env \(cleaning) \(try BuiltBinary.path()) --config walg.json wal-push %p",
            settings: ["archive_timeout = 0"] + settings, initdb: ["--wal-segsize=1"])
        let all = archive.settings.merging(["WALS_STATE_DIR": cluster.directory + "/state"]) { $1 }
            .merging(others) { $1 }
        let data = try JSONSerialization.data(withJSONObject: all, options: [.withoutEscapingSlashes])
        try FileSystem.replace(cluster.data + "/walg.json", with: Array(data))
        try FileSystem.makeDirectory(cluster.directory + "/state")
        try ServerUser.own(cluster.directory)
        return cluster
    }

    private func poll(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<600 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ScenarioFailure("waited for: \(what)")
    }

    @Test func `a standby outlives every fault of the store and goes on afterwards`() async throws {
        guard ArchivePlace.available.contains(.s3) else { return }
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let faults = try #require(archive.faults)
        faults.setRules([
            FaultRule(
                "GET", containing: "/wal_005/\(template.target)", .answer(.s3Error(500, code: "InternalError")))
        ])
        let standby = try WALRecovery(
            template, archive, signal: "standby", settings: ["S3_MAX_RETRIES": "0", "WALS_FETCH_DEADLINE": "1s"])
        try standby.startStandby()
        try await poll("the rows before the fault") { try standby.rows() == "1,2" }
        let replies: [FaultReply] = [
            .answer(.s3Error(500, code: "InternalError")), .answer(.s3Error(403, code: "AccessDenied")),
            .nothing(.reset), .nothing(.hang), .forward.cut(afterBody: 0, .close),
        ]
        for reply in replies {
            let before = faults.requestCount
            faults.setRules([FaultRule(nil, reply)])
            try await poll("two more polls") { faults.requestCount >= before + 2 }
            #expect(try standby.rows() == "1,2")
        }
        faults.setRules([])
        try await poll("all rows") { try standby.rows() == "1,2,3,4,5,6" }
        #expect(try standby.cluster.sql("SELECT pg_is_in_recovery()") == "t")
        #expect(!standby.isPromoted)
    }

    @Test(arguments: ArchivePlace.available)
    func `promotion archives the new timeline, and recovery follows it`(_ place: ArchivePlace) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(place)
        let second = try WALRecovery(template, archive)
        let cleaning = WALProgram.foreign.map { "-u \($0)" }.joined(separator: " ")
        try second.cluster.configure([
            "archive_mode = on",
            "archive_command = 'env \(cleaning) \(try BuiltBinary.path()) --config \(second.cluster.directory)/good.json wal-push %p'",
        ])
        #expect(try await second.start(), "\(second.cluster.log())")
        #expect(try second.rows() == "1,2,3,4,5,6")
        try second.cluster.sql("INSERT INTO marks VALUES (7)")
        try second.cluster.sql("SELECT pg_switch_wal()")
        try second.cluster.sql("INSERT INTO marks VALUES (8)")
        try second.cluster.stop()
        #expect(try await archive.stored("wal_005/00000002.history.lz4") != nil)
        for round in 0..<2 {
            let third = try WALRecovery(
                template, archive, lines: ["recovery_target_timeline = 'latest'"],
                settings: ["WALG_DOWNLOAD_CONCURRENCY": round == 0 ? "10" : "1"])
            #expect(try await third.start(), "\(third.cluster.log())")
            #expect(try third.rows() == "1,2,3,4,5,6,7,8")
            #expect(try third.cluster.sql("SELECT timeline_id FROM pg_control_checkpoint()") == "3")
            // The ancestry is whole: the late request for the parent's history was answered.
            let history = try String(contentsOfFile: third.cluster.data + "/pg_wal/00000003.history", encoding: .utf8)
            #expect(history.split(separator: "\n").filter { !$0.isEmpty }.count == 2, "\(history)")
        }
        // The old timeline can still be reached on its own.
        let old = try WALRecovery(template, archive, lines: ["recovery_target_timeline = '1'"])
        #expect(try await old.start(), "\(old.cluster.log())")
        #expect(try old.rows() == "1,2,3,4,5,6")
    }

    @Test(arguments: ["10", "1"])
    func `recovery to a target ends there and promotes`(_ concurrency: String) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.directory)
        let number = (UInt32(template.target.suffix(8), radix: 16) ?? 0) + 1
        // The start of the segment after row 3.
        let lsn = "0/" + String(number << 20, radix: 16, uppercase: true)
        let recovery = try WALRecovery(
            template, archive, lines: ["recovery_target_lsn = '\(lsn)'", "recovery_target_action = 'promote'"],
            settings: ["WALG_DOWNLOAD_CONCURRENCY": concurrency])
        #expect(try await recovery.start(), "\(recovery.cluster.log())")
        #expect(try recovery.rows() == "1,2,3")
    }

    @Test(arguments: ArchivePlace.available)
    func `a burst of segments is archived, each equal to its source`(_ place: ArchivePlace) async throws {
        let archive = try await WALArchive.make(place)
        let cluster = try primary(
            archive, ["TOTAL_BG_UPLOADED_LIMIT": "8", "WALG_UPLOAD_CONCURRENCY": "4"],
            settings: ["wal_keep_size = 512MB"])
        try cluster.start()
        try cluster.program("pgbench", ["-i", "-q", "-s", "2"])
        let last = try cluster.sql("SELECT pg_walfile_name(pg_switch_wal())")
        try await poll("the archiver") {
            try cluster.sql("SELECT last_archived_wal >= '\(last)' FROM pg_stat_archiver") == "t"
        }
        #expect(try cluster.sql("SELECT failed_count FROM pg_stat_archiver") == "0", "\(cluster.log())")
        let folder = cluster.data + "/pg_wal"
        let done = try FileSystem.names(in: folder + "/archive_status").filter { $0.hasSuffix(".done") }
            .map { String($0.dropLast(5)) }
        #expect(done.count > 10)
        let reader = try WALProgram(archive)
        for name in done where ((try? FileSystem.status(folder + "/" + name)) ?? nil) != nil {
            let (outcome, content) = try await reader.fetch(name)
            let isSame = try content == FileSystem.contents(folder + "/" + name)
            #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
        }
        try cluster.stop()
    }

    @Test(.enabled(if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set"))
    func `a server counts its failures to archive, and catches up when the store is back`() async throws {
        let archive = try await WALArchive.make(.s3)
        let faults = try #require(archive.faults)
        faults.setRules([FaultRule("PUT", .answer(.s3Error(500, code: "InternalError")))])
        let cluster = try primary(
            archive, ["S3_MAX_RETRIES": "0", "WALS_PUSH_DEADLINE": "2s"], settings: ["wal_keep_size = 64MB"])
        try cluster.start()
        let first = try cluster.sql("SELECT pg_walfile_name(pg_switch_wal())")
        try await poll("a counted failure") {
            try cluster.sql("SELECT failed_count > 0 FROM pg_stat_archiver") == "t"
        }
        #expect(try cluster.sql("SELECT archived_count FROM pg_stat_archiver") == "0")
        #expect(try await archive.keys() == [])
        // An archiver that dies says so here, and counts nothing.
        #expect(!cluster.log().contains("FATAL"), "\(cluster.log())")
        faults.setRules([])
        try cluster.sql("CREATE TABLE more (i int)")
        let last = try cluster.sql("SELECT pg_walfile_name(pg_switch_wal())")
        try await poll("the archiver") {
            try cluster.sql("SELECT last_archived_wal >= '\(last)' FROM pg_stat_archiver") == "t"
        }
        for name in [first, last] {
            let (outcome, content) = try await WALProgram(archive).fetch(name)
            let isSame = try content == FileSystem.contents(cluster.data + "/pg_wal/" + name)
            #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
        }
        try cluster.stop()
    }

    @Test(arguments: ArchivePlace.available)
    func `segments of 64 MiB, in parts, are archived and fetched`(_ place: ArchivePlace) async throws {
        let archive = try await WALArchive.make(place)
        let cluster = try Cluster(
            settings: ["max_wal_size = 1GB", "min_wal_size = 128MB", "wal_keep_size = 512MB"],
            initdb: ["--wal-segsize=64"])
        try cluster.start()
        try cluster.sql("CREATE TABLE noise AS SELECT md5(i::text) AS t FROM generate_series(1, 200000) AS i")
        let name = try cluster.sql("SELECT pg_walfile_name(pg_switch_wal())")
        try cluster.stop()
        let bytes = try FileSystem.contents(cluster.data + "/pg_wal/" + name, limit: 1 << 27)
        #expect(bytes.count == 64 << 20)
        let control = try FileSystem.contents(cluster.data + "/global/pg_control")
        let program = try WALProgram(
            archive, control: control,
            ["S3_MAX_PART_SIZE": "5242880", "WALS_PUSH_DEADLINE": "50s", "WALS_FETCH_DEADLINE": "50s"])
        let push = try await program.push(name, bytes)
        #expect(push.exitCode == 0, "\(push)")
        let fetch = try await program.run("wal-fetch", name, "pg_wal/RECOVERYXLOG")
        let isSame = try FileSystem.contents(program.folder.file("pg_wal/RECOVERYXLOG"), limit: 1 << 27) == bytes
        #expect(fetch.exitCode == 0 && isSame, "\(fetch)")
        // The size that is insisted on is another one.
        let refused = try await program.run("wal-push", "pg_wal/\(name)", adding: ["WALG_PG_WAL_SIZE": "16"])
        #expect((1...125).contains(refused.exitCode), "\(refused)")
        let right = try await program.run("wal-push", "pg_wal/\(name)", adding: ["WALG_PG_WAL_SIZE": "64"])
        #expect(right.exitCode == 0, "\(right)")
    }
}
