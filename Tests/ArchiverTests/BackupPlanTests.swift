import Bytes
import Glibc
import Repository
import TestSupport
import Testing

@testable import Archiver

@Suite struct BackupPlanTests {
    private static func members(_ plan: BackupPlan) -> [String] {
        var members: [String] = []
        while let file = plan.files.takeNext() { members.append(file.path) }
        return members
    }

    @Test func `a data directory is walked in order, without what a backup must not hold`() throws {
        let directory = try TemporaryDirectory()
        let outside = try TemporaryDirectory()
        for name in [
            "PG_VERSION", "backup_label", "base/5/100", "base/5/100_init", "base/5/100_fsm", "base/5/100.1",
            "base/5/1001",
            "base/5/112", "base/5/pg_internal.init", "base/5/t3_44", "base/pgsql_tmp/pgsql_tmp1.0", "global/1262",
            "global/pg_control", "global/pg_internal.init.77", "log/postgresql.log", "pg_replslot/one/state",
            "pg_wal/000000010000000000000001", "postmaster.opts", "postmaster.pid", "standby.signal", "tablespace_map",
            "postgresql.auto.conf", "recovery.signal",
        ] { try directory.write([1], to: name) }
        try outside.write([1], to: "PG_15_202209061/5/77")
        try outside.write([1, 2], to: "elsewhere.conf")
        try FileSystem.makeDirectory(directory.file("pg_tblspc"))
        try FileSystem.symbolicLink(to: outside.path, at: directory.file("pg_tblspc/16384"))
        try FileSystem.symbolicLink(to: outside.file("elsewhere.conf"), at: directory.file("postgresql.conf"))
        try FileSystem.symbolicLink(to: "/nonexistent/wal-s", at: directory.file("broken"))
        try FileSystem.symbolicLink(to: directory.path, at: directory.file("circle"))

        let root = try FileSystem.resolved(directory.path)
        let plan = try BackupPlan(walking: root, log: .silent)
        #expect(
            Self.members(plan) == [
                "/", "/PG_VERSION", "/base", "/base/5", "/base/5/1001", "/base/5/100_init", "/base/5/112",
                "/base/pgsql_tmp", "/global", "/global/1262", "/log", "/pg_replslot", "/pg_tblspc",
                "/pg_tblspc/16384/PG_15_202209061", "/pg_tblspc/16384/PG_15_202209061/5",
                "/pg_tblspc/16384/PG_15_202209061/5/77", "/pg_tblspc/16384/elsewhere.conf", "/pg_wal",
                "/postgresql.auto.conf", "/postgresql.conf", "/recovery.signal",
            ])
        #expect(plan.tablespaces == [.init(name: "16384", location: outside.path)])
        #expect(plan.files.byteCount == 12)
    }

    @Test func `a pg_wal that is a link is stored as an empty directory`() throws {
        let directory = try TemporaryDirectory()
        let outside = try TemporaryDirectory()
        try outside.write([1], to: "000000010000000000000001")
        try FileSystem.symbolicLink(to: outside.path, at: directory.file("pg_wal"))
        let plan = try BackupPlan(walking: try FileSystem.resolved(directory.path), log: .silent)
        #expect(Self.members(plan) == ["/", "/pg_wal"])
    }

    @Test func `files keep their order, results and parts`() {
        let files = BackupFiles()
        let status = BackupFileStatus(byteCount: 7, mode: 0o600, modified: Timestamp(seconds: 1))
        for name in ["/", "/a", "/b", "/c"] { files.append(name, name == "/" ? .directory : .regular, status) }
        var taken: [BackupFile] = []
        while let file = files.takeNext() { taken.append(file) }
        #expect(taken.map(\.path) == ["/", "/a", "/b", "/c"])
        files.stored(taken[3], BackupFileResult(status: status, crc32c: 9, part: 1))
        files.stored(taken[0], BackupFileResult(status: status, crc32c: 0, part: 1))
        files.stored(
            taken[1],
            BackupFileResult(status: status, crc32c: 8, part: 12, corrupt: .init(count: 2, pages: [4, 5])))
        #expect(files.stored(at: 2) == nil)
        #expect(files.stored(at: 1)?.result.corrupt == .init(count: 2, pages: [4, 5]))
        #expect(files.stored(at: 3)?.result.crc32c == 9)
        #expect(files.storedByteCount == 14)
        #expect(files.damage == (2, 1))
        let sets = files.membersByPart().map { ($0.part, $0.members.map { files.path(at: $0) }) }
        #expect(sets.map(\.0) == [1, 12])
        #expect(sets.map(\.1) == [["/", "/c"], ["/a"]])
    }
}
