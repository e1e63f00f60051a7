import Bytes
import Postgres
import Server
import TestSupport
import Testing

@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL server here"), .timeLimit(.minutes(2)))
struct ServerTests {
    @Test func `a session asks, starts and stops a backup, and tells errors with their code`() async throws {
        let archive = try Cluster(empty: "archive")
        let cluster = try Cluster(archiveCommand: "cp %p \(archive.directory)/%f")
        try cluster.start()
        let settings = ConnectionSettings(parameters: cluster.connection)

        let connection = try Connection(settings)
        #expect(try connection.query("SELECT 1, NULL, $1", ["x"], operation: "asking") == [["1", nil, "x"]])
        #expect(
            throws: ServerError(
                .refused, operation: "asking", sqlState: "22012", message: "division by zero")
        ) { try connection.query("SELECT 1/0", operation: "asking") }
        #expect(
            throws: ServerError(
                .timedOut, operation: "sleeping", sqlState: "57014", message: "it took longer than allowed")
        ) { try connection.query("SELECT pg_sleep(60)", operation: "sleeping", deadline: .milliseconds(1)) }

        let session = try BackupSession(settings, log: .silent)
        #expect(session.facts.dataDirectory == cluster.data)
        #expect(session.facts.hasDataChecksums && !session.facts.isInRecovery && session.facts.archives)
        #expect(session.facts.segmentSize.byteCount == 16 << 20)
        #expect(try await session.takeLease() == nil)
        let second = try BackupSession(settings, log: .silent)
        #expect(try await second.takeLease()?.contains("wal-s") == true)
        await second.close()

        let start = try await session.start(label: "test")
        #expect(start.segment.description == "000000010000000000000002")
        try await session.startOver()
        let again = try await session.start(label: "test")
        #expect(again.segment.description == "000000010000000000000003")
        let stop = try await session.stop(timeout: nil)
        #expect(stop.lsn > again.lsn)
        #expect(String(decoding: stop.label, as: UTF8.self).contains("LABEL: test"))
        #expect(try FileSystem.status(archive.directory + "/000000010000000000000003") != nil)

        let databases = try DatabaseContents.read(settings, log: .silent)
        #expect(databases.map(\.name) == ["postgres", "template1"])
        #expect(databases.allSatisfy { $0.relations.contains { $0.name == "pg_catalog.pg_class" } })
    }

    @Test func `a backup that is not archived ends with what the archiver failed at`() async throws {
        let cluster = try Cluster(archiveCommand: "false")
        try cluster.start()
        let session = try BackupSession(ConnectionSettings(parameters: cluster.connection), log: .silent)
        _ = try await session.start(label: "test")
        do {
            _ = try await session.stop(timeout: .milliseconds(1500))
            Issue.record("stopped although nothing is archived")
        } catch {
            #expect(error.kind == .timedOut)
            #expect(error.message.contains("must be archived"))
        }
    }

    @Test func `a cancelled task interrupts its statement`() async throws {
        let cluster = try Cluster()
        try cluster.start()
        let settings = ConnectionSettings(parameters: cluster.connection)
        let task = Task { try Connection(settings).query("SELECT pg_sleep(3600)", operation: "sleeping") }
        task.cancel()
        // The session's own statements come first, and may be what is interrupted.
        let error = await #expect(throws: ServerError.self) { try await task.value }
        #expect(error?.kind == .cancelled && error?.sqlState == "57014" && error?.message == "interrupted")
    }

    @Test func `a server that is down is one clear error`() throws {
        let nowhere = try Cluster(empty: "nowhere")
        do {
            _ = try Connection(ConnectionSettings(parameters: nowhere.connection))
            Issue.record("connected")
        } catch {
            #expect(error.kind == .connectionFailed)
            #expect(error.description.contains("No such file or directory"))
        }
    }
}
