import Bytes
import Storage
import TestSupport
import Testing

/// F3 and F7: what is archived is never replaced by something else, whoever comes, and whenever.
@Suite(.serialized, .enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALConflictTests {
    private func machine(_ archive: WALArchive, _ others: [String: String] = [:]) throws -> WALProgram {
        try WALProgram(archive, others)
    }

    @Test(arguments: ArchivePlace.available, ["lz4", "zstd", "none"])
    func `a different segment under the same name is refused, an identical one is welcome`(
        _ place: ArchivePlace, _ codec: String
    ) async throws {
        let archive = try await WALArchive.make(place)
        let settings = ["WALG_COMPRESSION_METHOD": codec]
        let (first, second) = (SyntheticSegment(number: 5, mark: 1), SyntheticSegment(number: 5, mark: 2))
        let key = WALTemplate.key(first.name, codec)
        let one = try machine(archive, settings)
        #expect(try await one.push(first.name, first.bytes).exitCode == 0)
        let stored = try await archive.stored(key)
        #expect(try await one.push(first.name, first.bytes).exitCode == 0)
        // From the same machine, and from one that knows nothing.
        for pusher in [one, try machine(archive, settings)] {
            let refused = try await pusher.push(second.name, second.bytes)
            #expect(refused.exitCode == 73, "\(refused)")
            #expect(refused.errorText.contains("already archived with other content"), "\(refused)")
            #expect(try await pusher.push(first.name, first.bytes).exitCode == 0)
        }
        // Under another codec's name it would not even collide.
        let other = try machine(archive, ["WALG_COMPRESSION_METHOD": codec == "lz4" ? "zstd" : "lz4"])
        let elsewhere = try await other.push(second.name, second.bytes)
        #expect(elsewhere.exitCode == 73, "\(elsewhere)")
        #expect(try await other.push(first.name, first.bytes).exitCode == 0)
        let isUnchanged = try await archive.stored(key) == stored
        #expect(isUnchanged)
        #expect(try await archive.keys().count == 2)
    }

    @Test(arguments: ArchivePlace.available)
    func `of two that push different segments at once one wins and the other is refused`(_ place: ArchivePlace)
        async throws
    {
        for round in 0..<6 {
            let archive = try await WALArchive.make(place)
            let segments = (1...2).map { SyntheticSegment(number: 7, mark: UInt32($0 + 2 * round)) }
            let machines = try segments.map { _ in try machine(archive) }
            async let left = machines[0].push(segments[0].name, segments[0].bytes)
            async let right = machines[1].push(segments[1].name, segments[1].bytes)
            let codes = try await [left.exitCode, right.exitCode]
            #expect(codes.sorted() == [0, 73], "round \(round): \(codes)")
            let winner = codes[0] == 0 ? segments[0] : segments[1]
            let (outcome, content) = try await machines[0].fetch(winner.name)
            let isSame = content == winner.bytes
            #expect(outcome.exitCode == 0 && isSame, "round \(round): \(outcome)")
        }
    }

    @Test(arguments: ArchivePlace.available)
    func `two that push the same at once both succeed`(_ place: ArchivePlace) async throws {
        for round in 0..<3 {
            let archive = try await WALArchive.make(place)
            let segment = SyntheticSegment(number: 7, mark: UInt32(round))
            let machines = try (0..<2).map { _ in try machine(archive) }
            async let left = machines[0].push(segment.name, segment.bytes)
            async let right = machines[1].push(segment.name, segment.bytes)
            let codes = try await [left.exitCode, right.exitCode]
            #expect(codes == [0, 0], "round \(round)")
        }
    }

    @Test(arguments: ArchivePlace.available)
    func `histories are guarded like segments`(_ place: ArchivePlace) async throws {
        let archive = try await WALArchive.make(place)
        let one = try machine(archive)
        let first = Array("1\t0/5000000\tno recovery target specified\n".utf8)
        let second = Array("1\t0/6000000\tno recovery target specified\n".utf8)
        #expect(try await one.push("00000002.history", first).exitCode == 0)
        #expect(try await one.push("00000002.history", first).exitCode == 0)
        let refused = try await one.push("00000002.history", second)
        #expect(refused.exitCode == 73, "\(refused)")
        let (outcome, content) = try await one.fetch("00000002.history")
        #expect(outcome.exitCode == 0 && content == first, "\(outcome)")
    }

    @Test(arguments: ArchivePlace.available)
    func `a second cluster gets neither a taken nor a free name, and not a byte of ours`(_ place: ArchivePlace)
        async throws
    {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(place)
        let before = try await archive.keys()
        let stranger = try machine(archive)
        let perLog: UInt64 = 4096
        let number = UInt64(template.target.suffix(8), radix: 16) ?? 0
        for number in [number, number + perLog] {
            let segment = SyntheticSegment(number: number)
            let refused = try await stranger.push(segment.name, segment.bytes)
            #expect(refused.exitCode == 78, "\(refused)")
            #expect(refused.errorText.contains("belongs to the cluster"), "\(refused)")
        }
        #expect(try await archive.keys() == before)
        // A recovering cluster with another identifier is not given our WAL.
        let other = try Cluster(initdb: ["--wal-segsize=1"])
        let control = try FileSystem.contents(other.data + "/global/pg_control")
        let reader = try WALProgram(archive, control: control, signal: "recovery")
        let (outcome, content) = try await reader.fetch(template.target)
        #expect(outcome.exitCode >= 126 && content == nil, "\(outcome)")
        let (end, _) = try await reader.fetch("00000002.history")
        #expect(end.exitCode >= 126, "\(end)")
    }

    @Test(arguments: ArchivePlace.available)
    func `a clone that archives to the same place is refused where it differs, and changes nothing`(
        _ place: ArchivePlace
    ) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(place)
        // The clone has our identifier, our timeline, and a history of its own.
        let clone = try Cluster(empty: "clone")
        try Program.check(["cp", "-a", template.folder.file("base"), clone.data])
        let wal = clone.directory + "/wal"
        try FileSystem.makeDirectory(wal)
        try clone.configure([
            "unix_socket_directories = '\(clone.directory)'",
            "archive_command = 'test ! -f \(wal)/%f && cp %p \(wal)/%f'", "archive_mode = on",
            "restore_command = 'cp \(template.folder.file("wal"))/%f %p'", "recovery_target = 'immediate'",
            "recovery_target_action = 'promote'",
        ])
        try FileSystem.replace(clone.data + "/recovery.signal", with: [])
        try ServerUser.own(clone.directory)
        try clone.start()
        for _ in 0..<600 where try clone.sql("SELECT pg_is_in_recovery()") == "t" {
            try await Task.sleep(for: .milliseconds(50))
        }
        try clone.sql("CREATE TABLE elsewhere AS SELECT generate_series(1, 1000) AS i")
        try clone.sql("SELECT pg_switch_wal()")
        try clone.stop()
        let names = try FileSystem.names(in: wal).sorted()
        #expect(names.contains("00000002.history"))
        // Its timeline has a name of its own: those files are new, and welcome.
        let machine = try WALProgram(archive, control: template.control)
        for name in names {
            let outcome = try await machine.push(name, FileSystem.contents(wal + "/" + name))
            #expect(outcome.exitCode == 0, "\(outcome)")
        }
        // Another promotion of the same backup takes the same timeline: every file that differs is refused.
        let before = try await archive.keys()
        let rival = Array("1\t0/5000000\tanother promotion\n".utf8)
        let refused = try await machine.push("00000002.history", rival)
        #expect(refused.exitCode == 73, "\(refused)")
        // And an old primary that writes on on its own timeline collides with what is there.
        let number = UInt64(template.target.suffix(8), radix: 16) ?? 0
        let header = template.bytes(template.target)
        let identifier = (0..<8).reduce(UInt64(0)) { $0 | UInt64(header[24 + $1]) << UInt64(8 * $1) }
        let old = SyntheticSegment(number: number, systemIdentifier: identifier, mark: 77)
        let collision = try await machine.push(old.name, old.bytes)
        #expect(collision.exitCode == 73, "\(collision)")
        #expect(try await archive.keys() == before)
        let (outcome, content) = try await machine.fetch(template.target)
        let isSame = content == template.bytes(template.target)
        #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
    }
}
