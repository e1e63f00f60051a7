import TestSupport
import Testing

@testable import Postgres

@Suite struct ControlFileTests {
    /// Files of initdb, each with what `pg_controldata` of its version said of it.
    @Test(arguments: [13, 15, 17, 18])
    func `a golden file says what pg_controldata says`(version: Int) throws {
        let control = try ControlFile(parsing: try Golden.bytes("pg_control-\(version)"))
        try expect(control, agreesWith: try Golden.text("pg_control-\(version).txt"))
        #expect(control.hasDataChecksums)
        #expect(control.state == .shutDown)
    }

    @Test(.enabled(if: !Servers.all.isEmpty, "no PostgreSQL here"), arguments: Servers.all)
    func `a new cluster's file says what pg_controldata says`(server: Server) async throws {
        try await server.withScratch { folder in
            try await server.run(["\(server.bin)/initdb", "-D", "\(folder)/data", "-N", "--wal-segsize=4"])
            let report = try await server.run(["\(server.bin)/pg_controldata", "-D", "\(folder)/data"])
            let control = try ControlFile(parsing: try readFile("\(folder)/data/global/pg_control"))
            try expect(control, agreesWith: report.text)
        }
    }

    private func expect(_ control: ControlFile, agreesWith report: String) throws {
        var fields: [String: String] = [:]
        for line in report.split(separator: "\n") {
            let colon = try #require(line.firstIndex(of: ":"))
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        #expect(String(control.systemIdentifier) == fields["Database system identifier"])
        #expect(String(control.pgControlVersion) == fields["pg_control version number"])
        #expect(String(control.catalogVersion) == fields["Catalog version number"])
        #expect(control.checkpoint == LSN(fields["Latest checkpoint location"] ?? ""))
        #expect(control.checkpointRedo == LSN(fields["Latest checkpoint's REDO location"] ?? ""))
        #expect(control.timeline.description == fields["Latest checkpoint's TimeLineID"])
        #expect(control.minimumRecoveryPoint == LSN(fields["Minimum recovery ending location"] ?? ""))
        #expect(control.backupStart == LSN(fields["Backup start location"] ?? ""))
        #expect(String(control.dataChecksumVersion) == fields["Data page checksum version"])
        #expect(String(control.segmentSize.byteCount) == fields["Bytes per WAL segment"])
        #expect(String(control.blockSize) == fields["Database block size"])
    }

    @Test(arguments: [(13, 288), (18, 292)])
    func `every prefix without the checksum is refused, and the rest is not needed`(version: Int, checksum: Int) throws
    {
        let bytes = try Golden.bytes("pg_control-\(version)")
        for count in 0..<checksum + 4 {
            #expect(throws: PostgresError.self) { try ControlFile(parsing: Array(bytes[..<count])) }
        }
        #expect(try ControlFile(parsing: Array(bytes[..<(checksum + 4)])) == ControlFile(parsing: bytes))
    }

    @Test(arguments: [(15, 288), (18, 292)])
    func `every flipped bit is refused`(version: Int, checksum: Int) throws {
        let bytes = try Golden.bytes("pg_control-\(version)")
        for bit in 0..<(checksum + 4) * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: PostgresError.self) { try ControlFile(parsing: flipped) }
        }
    }

    @Test func `what is wrong is said`() throws {
        let bytes = try Golden.bytes("pg_control-15")
        func error(_ change: (inout [UInt8]) -> Void) -> PostgresError? {
            var changed = bytes
            change(&changed)
            do {
                _ = try ControlFile(parsing: changed)
                return nil
            } catch { return error }
        }
        #expect(error { $0 = [] }?.description == "global/pg_control: 0 bytes are too few")
        #expect(
            error { $0[8] = 0x13 }?.description
                == "global/pg_control, byte 8: control file version 1299; known are those of PostgreSQL 13 to 18 "
                + "(1300, 1700, 1800)")
        #expect(error { $0.replaceSubrange(8..<12, with: [0, 0, 5, 0x14]) }?.kind == .unsupported)
        #expect(error { $0[0] ^= 1 }?.kind == .corrupted)
        #expect(error { $0[0] ^= 1 }?.offset == 288)
    }
}
