import Bytes
import Foundation
import Storage
import TestSupport
import Testing

/// F4: wal-push ends with 0 only when the segment is there and equal; else with 1 to 125, and in time.
@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALPushFaultTests {
    enum Expectation: Equatable, Sendable {
        case stored
        case absent
        /// Not acknowledged, and nobody can know; a later push must succeed.
        case unknown
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let rules: [FaultRule]
        var settings: [String: String] = [:]
        let expected: Expectation
        /// PUTs of whole segments that may be sent.
        var puts: ClosedRange<Int>?

        var testDescription: String { name }
    }

    private static func segment(_ on: ClosedRange<Int>, _ reply: FaultReply) -> [FaultRule] {
        [FaultRule("PUT", containing: "/wal_005/", on: on, reply)]
    }

    /// The time as servers say it, which is what a clock is set by.
    private static func today() -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.string(from: Date())
    }

    private static let always = 1...Int.max

    static let rows: [Row] = [
        Row(name: "clean", rules: [], expected: .stored, puts: 1...1),
        Row(
            name: "500 three times", rules: segment(1...3, .answer(.s3Error(500, code: "InternalError"))),
            expected: .stored, puts: 4...4),
        Row(
            name: "503 three times", rules: segment(1...3, .answer(.s3Error(503, code: "SlowDown"))),
            expected: .stored, puts: 4...4),
        Row(name: "reset before effect", rules: segment(1...1, .nothing(.reset)), expected: .stored, puts: 2...2),
        Row(name: "lost reply", rules: segment(1...1, .forward.lost(.reset)), expected: .stored, puts: 2...2),
        // The answer to the second says that the object is there: it is compared, and is ours.
        Row(name: "every reply lost", rules: segment(always, .forward.lost(.close)), expected: .unknown),
        Row(
            name: "500 always", rules: segment(always, .answer(.s3Error(500, code: "InternalError"))),
            expected: .absent),
        Row(
            name: "ExpiredToken always", rules: segment(always, .answer(.s3Error(400, code: "ExpiredToken"))),
            expected: .absent, puts: 1...2),
        Row(
            name: "403 always", rules: segment(always, .answer(.s3Error(403, code: "AccessDenied"))),
            expected: .absent, puts: 1...1),
        Row(
            name: "RequestTimeTooSkewed once",
            rules: segment(
                1...1, .answer(.s3Error(403, code: "RequestTimeTooSkewed", headers: [HTTPHeader("Date", today())]))),
            expected: .stored,
            puts: 2...2),
        Row(
            name: "refused", rules: [], settings: ["AWS_ENDPOINT": "http://127.0.0.1:1"], expected: .absent,
            puts: 0...0),
        Row(
            name: "wrong bucket", rules: [], settings: ["WALG_S3_PREFIX": "s3://no-such-bucket-here/wal"],
            expected: .absent),
        Row(name: "no reply at all", rules: segment(always, .nothing(.hang)), expected: .absent),
        Row(name: "nothing answers", rules: [FaultRule(nil, .nothing(.hang))], expected: .absent),
    ]

    @Test(
        .enabled(if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set"), arguments: rows)
    func `a push over a faulty connection is acknowledged only when the segment is stored`(_ row: Row) async throws {
        let template = try await WALTemplate.shared
        let archive = try await WALArchive.make(.s3)
        let faults = try #require(archive.faults)
        let program = try WALProgram(archive, control: template.control, row.settings)
        faults.setRules(row.rules)
        let (name, bytes) = (template.target, template.bytes(template.target))
        let outcome = try await program.push(name, bytes)
        try await judge(outcome, row, archive, name)
        let puts = faults.requests.filter { $0.method == "PUT" && $0.target.contains("/wal_005/") }.count
        if let allowed = row.puts { #expect(allowed.contains(puts), "\(puts) PUTs; \(outcome)") }
        // PostgreSQL asks again, and the store is well.
        faults.setRules([])
        var later = program
        for setting in row.settings.keys { later.settings[setting] = archive.settings[setting] }
        let again = try await later.push(name, bytes)
        #expect(again.exitCode == 0, "\(again)")
        try await expectStored(archive, name, bytes)
    }

    private func judge(_ outcome: Shell.Outcome, _ row: Row, _ archive: WALArchive, _ name: String) async throws {
        let stored = try await archive.stored(WALTemplate.key(name, "lz4"))
        #expect(!outcome.timedOut, "\(outcome)")
        switch row.expected {
        case .stored: #expect(outcome.exitCode == 0 && stored != nil, "\(outcome)")
        case .absent: #expect((1...125).contains(outcome.exitCode) && stored == nil, "\(outcome)")
        case .unknown: #expect(outcome.exitCode == 0 ? stored != nil : outcome.exitCode <= 125, "\(outcome)")
        }
        #expect(outcome.output.isEmpty, "\(outcome)")
        if outcome.exitCode != 0 { #expect(outcome.errorText.contains("ERROR"), "\(outcome)") }
    }

    /// A fetch with nothing in between brings the very bytes.
    private func expectStored(_ archive: WALArchive, _ name: String, _ bytes: [UInt8]) async throws {
        archive.faults?.setRules([])
        let reader = try WALProgram(archive)
        let (outcome, content) = try await reader.fetch(name)
        let isSame = content == bytes
        #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
    }

    /// Uploads in parts: nothing is compressed, and parts have the least size S3 allows.
    static let multipart = ["WALG_COMPRESSION_METHOD": "none", "S3_MAX_PART_SIZE": "5242880"]

    private static func complete(_ on: ClosedRange<Int>, _ reply: FaultReply) -> [FaultRule] {
        [FaultRule(on: on, reply) { $0.method == "POST" && $0.query.contains("uploadId=") }]
    }

    private static func part(_ number: Int, _ on: ClosedRange<Int>, _ reply: FaultReply) -> [FaultRule] {
        [FaultRule("PUT", containing: "partNumber=\(number)&", on: on, reply)]
    }

    private static let errorIn200 = FaultReply.answer(
        HTTPResponse(
            200, headers: [HTTPHeader("Content-Type", "application/xml")],
            body: Array("<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>no</Message></Error>".utf8)))

    static let multipartRows: [Row] = [
        Row(name: "clean", rules: [], expected: .stored),
        Row(name: "200 with an error on complete, once", rules: complete(1...1, errorIn200), expected: .stored),
        Row(name: "200 with an error on complete, always", rules: complete(always, errorIn200), expected: .absent),
        Row(name: "completed, reply lost", rules: complete(1...1, .forward.lost(.reset)), expected: .unknown),
        Row(
            name: "a part answered with 500 twice",
            rules: part(2, 1...2, .answer(.s3Error(500, code: "InternalError"))), expected: .stored),
        Row(
            name: "a part answered with 403", rules: part(2, always, .answer(.s3Error(403, code: "AccessDenied"))),
            expected: .absent),
    ]

    @Test(
        .enabled(if: ArchivePlace.available.contains(.s3), "WALS_TEST_S3_ENDPOINT is not set"), arguments: multipartRows
    )
    func `an upload in parts is acknowledged only when it is complete, and leaves no parts`(_ row: Row) async throws {
        let archive = try await WALArchive.make(.s3)
        let faults = try #require(archive.faults)
        let program = try WALProgram(archive, Self.multipart)
        faults.setRules(row.rules)
        let segment = SyntheticSegment(number: 9, byteCount: 16 << 20)
        let outcome = try await program.push(segment.name, segment.bytes)
        let stored = try await archive.stored("wal_005/" + segment.name)
        let isSame = stored == segment.bytes
        switch row.expected {
        case .stored: #expect(outcome.exitCode == 0 && isSame, "\(outcome)")
        case .absent: #expect((1...125).contains(outcome.exitCode) && stored == nil, "\(outcome)")
        case .unknown: #expect(outcome.exitCode == 0 ? isSame : outcome.exitCode <= 125, "\(outcome)")
        }
        let parts = faults.requests.filter { $0.query.contains("partNumber=") }.count
        #expect(parts >= (row.expected == .stored ? 4 : 1), "\(parts) parts")
        faults.setRules([])
        let again = try await program.push(segment.name, segment.bytes)
        #expect(again.exitCode == 0, "\(again)")
        try await expectNoUploads(archive)
    }

    /// Asks the store itself, with the aws client when it is here.
    private func expectNoUploads(_ archive: WALArchive) async throws {
        let faults = try #require(archive.faults)
        let begun = faults.exchanges.filter { $0.request.method == "POST" && $0.request.query.contains("uploads") }
            .filter { $0.upstreamStatus == 200 }.count
        let ended = faults.exchanges.filter {
            $0.request.query.contains("uploadId=") && !$0.request.query.contains("partNumber")
                && ($0.request.method == "DELETE" || $0.request.method == "POST")
                && [200, 204].contains($0.upstreamStatus ?? 0)
        }.count
        #expect(begun <= ended, "\(begun) uploads begun, \(ended) ended")
    }

    @Test(arguments: ArchivePlace.available)
    func `a file that is not what its name says is refused, and nothing is stored`(_ place: ArchivePlace) async throws {
        let template = try await WALTemplate.shared
        let archive = try await WALArchive.make(place)
        let program = try WALProgram(archive, control: template.control)
        let sound = template.bytes(template.target)
        let other = template.segments.first { $0 != template.target } ?? ""
        let broken: [(what: String, bytes: [UInt8])] = [
            ("half", Array(sound[..<(sound.count / 2)])), ("empty", []), ("one page", Array(sound[..<8192])),
            ("zeros", [UInt8](repeating: 0, count: sound.count)), ("another segment's", template.bytes(other)),
            ("too long", sound + [0]), ("noise", [UInt8](repeating: 0xA5, count: sound.count)),
        ]
        for (what, bytes) in broken {
            let outcome = try await program.push(template.target, bytes)
            #expect((1...125).contains(outcome.exitCode), "\(what): \(outcome)")
            #expect(try await archive.keys() == [], "\(what)")
        }
        let missing = try await program.run("wal-push", "pg_wal/0000000100000000000000FF")
        #expect((1...125).contains(missing.exitCode), "\(missing)")
        for name in ["hello", "../secret", "00000001000000000000000", ".hidden", "00000001000000000000000G"] {
            let outcome = try await program.run("wal-push", "pg_wal/\(name)")
            #expect((1...125).contains(outcome.exitCode), "\(name): \(outcome)")
        }
        #expect(try await archive.keys() == [])
    }

    @Test(arguments: ArchivePlace.available)
    func `a hint that a file was pushed ahead is not believed without the store`(_ place: ArchivePlace) async throws {
        let template = try await WALTemplate.shared
        let archive = try await WALArchive.make(place)
        let program = try WALProgram(archive, control: template.control)
        // All ready at once: the later ones go ahead.
        for name in template.segments { try program.place(name, template.bytes(name), isReady: true) }
        let first = template.segments[0]
        let outcome = try await program.run("wal-push", "pg_wal/\(first)")
        #expect(outcome.exitCode == 0, "\(outcome)")
        let wanted = Set(template.segments.map { WALTemplate.key($0, "lz4") } + ["wals_claim.json"])
        #expect(try await Set(archive.keys()) == wanted)
        // Somebody empties the archive behind our back.
        for name in template.segments { try await archive.remove(WALTemplate.key(name, "lz4")) }
        try FileSystem.removeTree(program.folder.file("pg_wal/archive_status"))
        for name in template.segments.dropFirst() {
            let outcome = try await program.run("wal-push", "pg_wal/\(name)")
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(try await archive.stored(WALTemplate.key(name, "lz4")) != nil, "\(name)")
        }
    }
}
