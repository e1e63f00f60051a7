import Bytes
import Storage
import TestSupport
import Testing

/// F1: recovery to the latest state while something is wrong with the archive, on a real server.
///
/// Two of six rows come before the fault. A server that takes over with the two is the accident to be prevented.
@Suite(.serialized, .enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALFaultRecoveryTests {
    /// Faults of the S3 server, made by the proxy on the segment of row 3.
    enum Answer: String, CaseIterable, Sendable {
        case internalError, slowDown, forbidden, reset, truncated, hang, stalledBody

        var reply: FaultReply {
            switch self {
            case .internalError: .answer(.s3Error(500, code: "InternalError"))
            case .slowDown: .answer(.s3Error(503, code: "SlowDown"))
            case .forbidden: .answer(.s3Error(403, code: "AccessDenied"))
            case .reset: .nothing(.reset)
            case .truncated: .forward.cut(afterBody: 0, .close)
            case .hang: .nothing(.hang)
            case .stalledBody: .forward.cut(afterBody: 100, .hang)
            }
        }
    }

    /// Wrong settings, from the segment of row 3 on.
    enum Setting: String, CaseIterable, Sendable {
        case refused, unresolvable, wrongBucket, wrongPrefix, wrongKey, senseless

        func settings(_ archive: WALArchive) -> [String: String] {
            let bucket = TestEnvironment.value("WALS_TEST_S3_BUCKET") ?? ""
            return switch self {
            case .refused: ["AWS_ENDPOINT": "http://127.0.0.1:1"]
            case .unresolvable: ["AWS_ENDPOINT": "http://nowhere.invalid:9000"]
            case .wrongBucket: ["WALG_S3_PREFIX": "s3://no-such-bucket-\(bucket)/wal"]
            case .wrongPrefix: ["WALG_S3_PREFIX": "s3://\(bucket)/nothing-\(UInt64.random(in: 0 ... .max))"]
            case .wrongKey: ["AWS_ACCESS_KEY_ID": "AKIANOSUCHKEY0000001"]
            case .senseless: ["WALG_DOWNLOAD_CONCURRENCY": "many"]
            }
        }
    }

    static let hasServer = ArchivePlace.available.contains(.s3)

    /// Refused while the fault lasts, complete after it.
    private func play(_ recovery: WALRecovery, lift: () async throws -> Void) async throws {
        let log = { recovery.cluster.log() }
        #expect(try await recovery.start() == false, "the server took over: \(log())")
        #expect(!recovery.isPromoted, "\(log())")
        #expect(recovery.isAskedToRecover, "\(log())")
        try await lift()
        #expect(try await recovery.start(), "\(log())")
        #expect(try recovery.rows() == "1,2,3,4,5,6", "\(log())")
    }

    @Test(.enabled(if: hasServer, "WALS_TEST_S3_ENDPOINT is not set"), arguments: Answer.allCases)
    func `a faulty answer stops recovery, and it is complete afterwards`(_ answer: Answer) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let faults = try #require(archive.faults)
        faults.setRules([FaultRule("GET", containing: "/wal_005/\(template.target)", answer.reply)])
        let recovery = try WALRecovery(template, archive)
        try await play(recovery) { faults.setRules([]) }
        #expect(faults.exchanges.contains { $0.request.target.contains("/wal_005/\(template.target)") })
    }

    @Test(.enabled(if: hasServer, "WALS_TEST_S3_ENDPOINT is not set"), arguments: Setting.allCases)
    func `wrong settings stop recovery, and it is complete with the right ones`(_ setting: Setting) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let recovery = try WALRecovery(
            template, archive, settings: ["WALG_DOWNLOAD_CONCURRENCY": "1"], faulty: setting.settings(archive),
            from: template.target)
        try await play(recovery) { try recovery.liftFault() }
    }

    enum Damage: String, CaseIterable, Sendable { case gap, lz4, zstd, brotli, none }

    static let damages = ArchivePlace.available.flatMap { place in Damage.allCases.map { (place, $0) } }

    @Test(arguments: damages)
    func `a hole or a damaged object stops recovery, and it is complete when the object is back`(
        _ place: ArchivePlace, _ damage: Damage
    ) async throws {
        let template = try await WALTemplate.shared
        let codec = damage == .gap ? "lz4" : damage.rawValue
        let key = WALTemplate.key(template.target, codec)
        var sound: [UInt8] = []
        let archive = try await template.archive(place, codec) { objects in
            try objects.alter(key) { bytes in
                sound = bytes
                // With no codec only what WAL records cover can be told: here the first record's body.
                bytes = bytes.flipped(bit: damage == .none ? 8 * 70 : bytes.count / 2 * 8 + 3)
            }
            if damage == .gap { objects.removeAll { $0.key.text == key } }
        }
        let recovery = try WALRecovery(template, archive, settings: ["WALG_COMPRESSION_METHOD": codec])
        try await play(recovery) { try await archive.replace(key, sound) }
    }

    /// What befalls a mounted directory.
    enum Mount: String, CaseIterable, Sendable { case missing, empty, unreadable, unreadableObject }

    @Test(arguments: Mount.allCases)
    func `a directory that is not there, or not readable, stops recovery, and it is complete afterwards`(
        _ mount: Mount
    ) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.directory)
        let root = try #require(archive.folder)
        let object = root.file(WALTemplate.key(template.target, "lz4"))
        var faulty: [String: String] = [:]
        switch mount {
        case .missing: faulty = ["WALG_FILE_PREFIX": "/nonexistent/archive"]
        case .empty:
            try FileSystem.makeDirectory(root.path + "-empty", mode: 0o755)
            faulty = ["WALG_FILE_PREFIX": root.path + "-empty"]
        // The server's user is not root.
        case .unreadable: try FileSystem.setMode(root.file("wal_005"), 0)
        case .unreadableObject: try FileSystem.setMode(object, 0)
        }
        defer { _ = try? FileSystem.removeTree(root.path + "-empty") }
        let recovery = try WALRecovery(
            template, archive, settings: ["WALG_DOWNLOAD_CONCURRENCY": "1"], faulty: faulty, from: template.target)
        try await play(recovery) {
            try recovery.liftFault()
            try FileSystem.setMode(root.file("wal_005"), 0o700)
            try FileSystem.setMode(object, 0o600)
        }
    }

    @Test(.enabled(if: hasServer, "WALS_TEST_S3_ENDPOINT is not set"))
    func `a server can be stopped while a fetch hangs, and recovers when it is started again`() async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(.s3)
        let faults = try #require(archive.faults)
        faults.setRules([FaultRule("GET", containing: "/wal_005/\(template.target)", .nothing(.hang))])
        let recovery = try WALRecovery(
            template, archive, settings: ["WALS_FETCH_DEADLINE": "100s", "WALG_DOWNLOAD_CONCURRENCY": "1"])
        try recovery.startAndLeave()
        for _ in 0..<1000 where !faults.requests.contains(where: { $0.target.contains(template.target) }) {
            try await Task.sleep(for: .milliseconds(20))
        }
        try recovery.cluster.program("pg_ctl", ["-D", recovery.cluster.data, "-w", "-t", "20", "-m", "fast", "stop"])
        #expect(!recovery.isPromoted && recovery.isAskedToRecover, "\(recovery.cluster.log())")
        // The fetch is gone with its server, and its file too.
        let left = try FileSystem.names(in: recovery.cluster.data + "/pg_wal").filter { $0.hasSuffix(".tmp") }
        #expect(left == [])
        faults.setRules([])
        #expect(try await recovery.start(), "\(recovery.cluster.log())")
        #expect(try recovery.rows() == "1,2,3,4,5,6")
    }

    @Test(arguments: ArchivePlace.available.flatMap { [($0, "10"), ($0, "1")] })
    func `without a fault recovery is complete, with and without prefetching`(
        _ place: ArchivePlace, _ concurrency: String
    ) async throws {
        let template = try await WALTemplate.shared
        let archive = try await template.archive(place)
        let recovery = try WALRecovery(template, archive, settings: ["WALG_DOWNLOAD_CONCURRENCY": concurrency])
        #expect(try await recovery.start(), "\(recovery.cluster.log())")
        #expect(try recovery.rows() == "1,2,3,4,5,6")
        #expect(recovery.isPromoted)
    }
}
