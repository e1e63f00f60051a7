import Bytes
import Foundation
import Storage
import TestSupport
import Testing

/// F8: what a segment costs in requests, connections and memory.
@Suite(
    .enabled(if: Cluster.isAvailable, "no PostgreSQL here"),
    .enabled(if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set"), .timeLimit(.minutes(20)))
struct WALCostTests {
    /// Peak of resident memory in MiB of a run by hand, as the kernel counted it.
    private func peak(_ program: WALProgram, _ arguments: [String]) async throws -> Double {
        // The high-water mark of a child is that of the program alone; wait4 would also count what spawned it.
        let child = try ChildProcess(
            [BuiltBinary.path()] + arguments, environment: program.environment,
            workingDirectory: program.folder.path)
        var kibibytes = 0
        while child.isRunning {
            if let status = try? String(contentsOfFile: "/proc/\(child.processID)/status", encoding: .utf8),
                status.hasPrefix("Name:\twal-s\n"),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM") }),
                let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
            {
                kibibytes = max(kibibytes, number)
            }
        }
        let outcome = try await child.wait()
        #expect(outcome.exitCode == 0, "\(outcome)")
        return Double(kibibytes) / 1024
    }

    @Test func `many uncompressed segments at once stay within the memory that is allowed`() async throws {
        let archive = try await WALArchive.make(.s3)
        let program = try WALProgram(
            archive,
            ["WALG_COMPRESSION_METHOD": "none", "TOTAL_BG_UPLOADED_LIMIT": "32", "WALS_PUSH_DEADLINE": "50s"])
        let segments = (1...16).map { SyntheticSegment(number: $0, byteCount: 16 << 20) }
        for segment in segments { try program.place(segment.name, segment.bytes, isReady: true) }
        let peak = try await peak(program, ["wal-push", "pg_wal/\(segments[0].name)"])
        print("peak of wal-push with 16 uncompressed segments, MiB: \(peak)")
        #expect(peak <= 256, "\(peak) MiB")
        #expect(try await archive.keys().count == 17)
    }

    /// 30 MiB is the goal of the release build; a debug build is allowed more.
    private var memoryLimit: Double { BuiltBinary.isDebugBuild ? 40 : 30 }

    @Test func `a segment costs one request over one connection each way, and little memory`() async throws {
        let template = try await WALTemplate.big
        let archive = try await WALArchive.make(.s3)
        let faults = try #require(archive.faults)
        let program = try WALProgram(archive, control: template.control)
        for name in template.segments { try program.place(name, template.bytes(name)) }
        // The first push claims the prefix.
        #expect(try await program.run("wal-push", "pg_wal/\(template.segments[0])").exitCode == 0)
        func cost(_ body: () async throws -> Void) async throws -> (requests: Int, connections: Int) {
            let before = (faults.requestCount, faults.connectionCount)
            try await body()
            return (faults.requestCount - before.0, faults.connectionCount - before.1)
        }
        let name = template.target
        var peaks: [Double] = []
        let push = try await cost { peaks.append(try await peak(program, ["wal-push", "pg_wal/\(name)"])) }
        #expect(push == (1, 1))
        let reader = try WALProgram(archive, control: template.control, signal: "recovery")
        let fetch = try await cost {
            peaks.append(try await peak(reader, ["wal-fetch", name, "pg_wal/RECOVERYXLOG"]))
        }
        #expect(fetch == (1, 1))
        let isSame = try FileSystem.contents(reader.folder.file("pg_wal/RECOVERYXLOG")) == template.bytes(name)
        #expect(isSame)
        let absent = try await cost {
            let last = name.dropLast(2) + "FE"
            let outcome = try await reader.fetch(String(last)).outcome
            #expect(outcome.exitCode == 74, "\(outcome)")
        }
        #expect(absent.requests <= 3 && absent.connections == 1, "\(absent)")
        // Pushed again, the stored one is compared; it is not sent a second time.
        let again = try await cost {
            let outcome = try await program.run("wal-push", "pg_wal/\(name)")
            #expect(outcome.exitCode == 0, "\(outcome)")
        }
        #expect(again.requests <= 3, "\(again)")
        print("peak of wal-push and wal-fetch of a full segment, MiB: \(peaks)")
        for peak in peaks { #expect(peak > 1 && peak <= memoryLimit, "\(peaks)") }
    }
}
