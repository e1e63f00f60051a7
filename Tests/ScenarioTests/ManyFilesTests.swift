import Bytes
import Foundation
import TestSupport
import Testing

private let hasPython = (try? Program.run(["python3", "--version"]))?.status == 0

/// What a file of a backup costs in memory, and that a restore of very many is done in one piece.
///
/// The bounds are for a file: WAL-G takes some two thousand bytes in backup-push. Figures of the release build with
/// 300,000 files are in Benchmarks/README.md.
@Suite(
    .enabled(if: Cluster.isAvailable && hasPython, "no PostgreSQL server or no python3 here"),
    .timeLimit(.minutes(5)))
struct ManyFilesTests {
    private static let count = 20_000

    /// A small process between: the peak of one that a big process starts counts that one's memory.
    private static let script = """
        import os, sys
        child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
        _, status, usage = os.wait4(child, 0)
        print(usage.ru_maxrss)
        sys.exit(os.waitstatus_to_exitcode(status))
        """

    private static var program: String {
        let tests = (try? FileSystem.linkTarget("/proc/self/exe")) ?? ""
        return Path.join(Path.parent(tests), "wal-s")
    }

    /// Runs the program and returns its greatest memory in bytes.
    private func peak(_ arguments: [String], _ environment: [String: String]) throws -> Int {
        let output = try Program.check(
            ["python3", "-c", Self.script, Self.program] + arguments, environment: environment)
        return try #require(Int(output)) << 10
    }

    @Test func `a file of a backup takes less than 600 bytes of memory`() throws {
        let cluster = try Cluster(settings: ["wal_level = replica"])
        try cluster.start()
        let folder = try TemporaryDirectory()
        let environment = cluster.environment.merging(["WALG_FILE_PREFIX": folder.file("bucket")]) { $1 }
        try FileSystem.makeDirectory(folder.file("bucket"))

        let smallPush = try peak(["backup-push", cluster.data], environment)
        let smallFetch = try peak(["backup-fetch", folder.file("small"), "LATEST"], environment)
        let database = try cluster.sql("SELECT 'base/' || oid FROM pg_database WHERE datname = 'postgres'")
        for number in 0..<Self.count {
            _ = try FileDescriptor(opening: "\(cluster.data)/\(database)/\(100_000 + number)", O_WRONLY | O_CREAT)
        }
        let push = (try peak(["backup-push", cluster.data], environment) - smallPush) / Self.count
        let fetch = (try peak(["backup-fetch", folder.file("many"), "LATEST"], environment) - smallFetch) / Self.count
        #expect(push < 600, "\(push) bytes a file in backup-push")
        #expect(fetch < 600, "\(fetch) bytes a file in backup-fetch")
        let restored = try FileSystem.names(in: folder.file("many/" + database))
        #expect(restored.count { $0.utf8.count == 6 && $0 >= "100000" } == Self.count)
    }
}
