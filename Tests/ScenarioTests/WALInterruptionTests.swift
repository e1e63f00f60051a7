import Bytes
import Glibc
import Storage
import TestSupport
import Testing

/// Signals in the middle, and surroundings that offer no place for hints.
@Suite(.serialized, .enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALInterruptionTests {
    static let onS3 = ConditionTrait.enabled(
        if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set")

    private func wait(for faults: FaultServer, _ text: String) async throws {
        for _ in 0..<1000 where !faults.requests.contains(where: { $0.target.contains(text) }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(faults.requests.contains { $0.target.contains(text) })
    }

    @Test(onS3, arguments: [SIGTERM, SIGINT])
    func `a signal ends a push with 1 and leaves nothing behind`(_ signal: CInt) async throws {
        let archive = try await WALArchive.make(.s3)
        let faults = try #require(archive.faults)
        let program = try WALProgram(
            archive,
            WALPushFaultTests.multipart.merging(["WALS_PUSH_DEADLINE": "600s", "S3_MAX_RETRIES": "100"]) { $1 })
        // The last part hangs: the upload is half done when the signal comes.
        faults.setRules([FaultRule("PUT", containing: "partNumber=4&", .nothing(.hang))])
        let segment = SyntheticSegment(number: 9, byteCount: 16 << 20)
        let child = try program.start("wal-push", try program.place(segment.name, segment.bytes))
        try await wait(for: faults, "partNumber=4&")
        child.signal(signal)
        let outcome = try await child.wait(timeout: .seconds(20))
        #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome)")
        #expect(try await archive.stored("wal_005/" + segment.name) == nil)
        let aborted = faults.exchanges.filter { $0.request.method == "DELETE" && $0.upstreamStatus == 204 }
        #expect(aborted.count == 1)
        faults.setRules([])
        #expect(try await program.push(segment.name, segment.bytes).exitCode == 0)
    }

    @Test(onS3, arguments: [SIGTERM, SIGINT])
    func `a fetch dies by the signal and leaves nothing at the target`(_ signal: CInt) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let faults = try #require(archive.faults)
        faults.setRules([
            FaultRule("GET", containing: "/wal_005/\(template.target)", .forward.cut(afterBody: 1000, .hang))
        ])
        let program = try WALProgram(
            archive, control: template.control, signal: "recovery",
            ["WALS_FETCH_DEADLINE": "600s", "S3_MAX_RETRIES": "100"])
        let child = try program.start("wal-fetch", template.target, "pg_wal/RECOVERYXLOG")
        try await wait(for: faults, "/wal_005/\(template.target)")
        child.signal(signal)
        let outcome = try await child.wait(timeout: .seconds(20))
        #expect(outcome.exitCode == 128 + Int(signal) && !outcome.timedOut, "\(outcome)")
        #expect(try program.walFiles() == [])
    }

    @Test(arguments: ArchivePlace.available)
    func `a push killed at any moment leaves the name free or whole, and the next push succeeds`(_ place: ArchivePlace)
        async throws
    {
        let template = try await WALTemplate.shared
        let archive = try await WALArchive.make(place)
        let program = try WALProgram(archive, control: template.control)
        let (name, bytes) = (template.target, template.bytes(template.target))
        let path = try program.place(name, bytes)
        for round in 0..<8 {
            let child = try program.start("wal-push", path)
            try await Task.sleep(for: .milliseconds(round * 15))
            child.signal(SIGKILL, wholeGroup: true)
            _ = try await child.wait()
            if try await archive.stored(WALTemplate.key(name, "lz4")) != nil {
                let (outcome, content) = try await program.fetch(name)
                let isSame = content == bytes
                #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
            }
        }
        let again = try await program.run("wal-push", path)
        #expect(again.exitCode == 0, "\(again)")
        let keys = try await archive.keys()
        #expect(keys == ["wal_005/\(name).lz4", "wals_claim.json"])
    }

    @Test(arguments: ["read-only", "missing", "no home", "a file"])
    func `without a place for hints all works`(_ surroundings: String) async throws {
        let template = try await WALTemplate.shared
        let archive = try await WALArchive.make(.directory)
        let program = try WALProgram(archive, control: template.control, ["WALG_DOWNLOAD_CONCURRENCY": "4"])
        let others: [String: String?]
        switch surroundings {
        case "read-only":
            let folder = program.folder.file("locked")
            try FileSystem.makeDirectory(folder, mode: 0o500)
            others = ["WALS_STATE_DIR": folder]
        case "missing": others = ["WALS_STATE_DIR": "/proc/no/such/place"]
        case "a file": others = ["WALS_STATE_DIR": try program.folder.write([1], to: "file")]
        default: others = ["WALS_STATE_DIR": nil, "HOME": nil, "XDG_CACHE_HOME": nil, "TMPDIR": "/proc"]
        }
        let path = try program.place(template.target, template.bytes(template.target))
        for _ in 0..<2 {
            let push = try await program.run("wal-push", path, adding: others)
            #expect(push.exitCode == 0, "\(push)")
        }
        try program.folder.write([], to: "recovery.signal")
        let fetch = try await program.run("wal-fetch", template.target, "pg_wal/RECOVERYXLOG", adding: others)
        #expect(fetch.exitCode == 0, "\(fetch)")
        let absent = try await program.run("wal-fetch", "00000002.history", "pg_wal/RECOVERYHISTORY", adding: others)
        #expect(absent.exitCode == 74, "\(absent)")
    }
}
