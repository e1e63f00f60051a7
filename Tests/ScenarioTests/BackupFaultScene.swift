import Bytes
import Digests
import Foundation
import Repository
import Storage
import TestSupport
import Testing

/// A small running cluster, an S3 prefix of its own on the real server, and a proxy before it that spoils requests.
///
/// The cluster archives by `cp`, so that nothing but backups is in the prefix. The programs run with large uncompressed
/// parts, one stream and one upload at a time, so that multipart uploads happen and requests have an order.
final class BackupFaultScene: Sendable {
    static let isAvailable = Cluster.isAvailable && TestEnvironment.value("WALS_TEST_S3_ENDPOINT") != nil

    let data: String
    let archive: String
    let binary: String
    let proxy: FaultServer
    /// The prefix, not through the proxy.
    let store: S3Store
    let settings: [String: String?]
    private let connection: [String: String]
    private let directory: String
    // Kept for what they remove when they go; used by one test at a time.
    nonisolated(unsafe) let cluster: Cluster
    nonisolated(unsafe) private let folder: Cluster

    init(archiveCommand: String? = nil, prefix: String? = nil) throws {
        folder = try Cluster(empty: "archive")
        archive = folder.directory
        cluster = try Cluster(
            archiveCommand: archiveCommand ?? "cp %p \(archive)/%f", settings: ["max_wal_senders = 4"])
        try cluster.start()
        try cluster.sql("CREATE TABLE marks AS SELECT n, md5(n::text) AS text FROM generate_series(1, 1000) n")
        data = cluster.data
        directory = cluster.directory
        connection = cluster.environment
        binary = try BuiltBinary.path()
        proxy = try FaultServer(upstream: TestEnvironment.value("WALS_TEST_S3_ENDPOINT") ?? "")
        var settings: [String: String?] = try ArchivePlace.s3.settings(in: archive)
        if let prefix { settings["WALG_S3_PREFIX"] = prefix }
        settings["AWS_ENDPOINT"] = proxy.endpoint
        settings["WALG_COMPRESSION_METHOD"] = "none"
        settings["S3_MAX_PART_SIZE"] = "5242880"
        settings["WALG_TAR_SIZE_THRESHOLD"] = "8000000"
        settings["WALG_UPLOAD_DISK_CONCURRENCY"] = "1"
        settings["WALG_UPLOAD_CONCURRENCY"] = "1"
        settings["WALG_DOWNLOAD_CONCURRENCY"] = "1"
        self.settings = settings
        store = try Self.store(settings)
    }

    /// A client of its own of a prefix, past the proxy.
    static func store(_ settings: [String: String?]) throws -> S3Store {
        let place = try S3Configuration.parse(prefixURL: (settings["WALG_S3_PREFIX"] ?? "") ?? "")
        return S3Store(
            S3Configuration(
                bucket: place.bucket, prefix: place.prefix,
                endpoint: try S3Endpoint(parsing: TestEnvironment.value("WALS_TEST_S3_ENDPOINT") ?? ""),
                pathStyle: true,
                credentials: StaticCredentials(
                    accessKey: TestEnvironment.value("WALS_TEST_S3_ACCESS_KEY") ?? "",
                    secretKey: Secret(TestEnvironment.value("WALS_TEST_S3_SECRET_KEY") ?? ""))),
            log: .silent)
    }

    /// Starts the program beside the test; `changed` settings go before the scene's.
    func start(
        _ arguments: [String], _ changed: [String: String?] = [:], asServerUser: Bool = false
    ) throws -> ChildProcess {
        let command = [binary] + arguments
        let environment = settings.merging(connection.mapValues { $0 }) { $1 }.merging(changed) { $1 }
        return try ChildProcess(
            asServerUser ? Cluster.asServerUser(command) : command, environment: environment, workingDirectory: "/tmp")
    }

    func push(_ changed: [String: String?] = [:]) async throws -> Shell.Outcome {
        try await start(["backup-push", data], changed).wait(timeout: .seconds(120))
    }

    /// A backup that must succeed; its name.
    @discardableResult
    func pushWell(_ changed: [String: String?] = [:]) async throws -> String {
        let before = Set(try await listed())
        let outcome = try await push(changed)
        guard outcome.exitCode == 0 else { throw ScenarioFailure(outcome.description) }
        let new = try await listed().filter { !before.contains($0) }
        guard let name = new.first, new.count == 1 else { throw ScenarioFailure("made \(new)\n\(outcome)") }
        return name
    }

    /// Runs the program, which is killed by the first request that `rule` takes, before or after that took effect.
    func kill(
        _ arguments: [String], at method: String, _ text: String, occurrence: Int = 1, after: Bool,
        asServerUser: Bool = false, _ changed: [String: String?] = [:]
    ) async throws -> Shell.Outcome {
        let victim = Locked<ChildProcess?>(nil)
        let count = Locked(0)
        let isShot = Locked(false)
        @Sendable func shoot() {
            // The whole group: as root the program is the child of one that changed the user.
            victim.withLock { $0?.signal(SIGKILL, wholeGroup: true) }
            isShot.withLock { $0 = true }
        }
        let reply =
            after
            ? FaultReply.forward.changed {
                shoot(); return $0
            } : .nothing(.reset)
        proxy.setRules([
            FaultRule(reply) { request in
                guard request.method == method, request.target.contains(text) else { return false }
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                guard number == occurrence else { return false }
                if !after { shoot() }
                return true
            }
        ])
        defer { proxy.setRules([]) }
        let process = try start(arguments, changed, asServerUser: asServerUser)
        victim.withLock { $0 = process }
        let outcome = try await process.wait(timeout: .seconds(120))
        victim.withLock { $0 = nil }
        if !isShot.withLock({ $0 }) { throw ScenarioFailure("\(method) \(text) did not come: \(outcome)") }
        return outcome
    }

    /// Names of the backups that have a sentinel, oldest first.
    func listed() async throws -> [String] {
        try await store.list(prefix: Layout.backupsFolder, recursive: false).objects
            .compactMap { Layout.backup(ofSentinel: $0.key) }.sorted()
    }

    /// Objects that are neither of a listed backup nor the prefix's claim, and multipart uploads, all by raw listing.
    func debris() async throws -> (objects: [String], uploads: [String]) {
        let backups = try await listed()
        let objects = try await store.list(prefix: "").objects.map(\.key.text).filter { key in
            !backups.contains { key.hasPrefix(Layout.folder($0)) || key == Layout.sentinel($0).text }
                && (key.hasPrefix(Layout.backupsFolder) || key.hasSuffix(BackupFaultScene.markName))
        }
        let marks = try await store.list(prefix: Layout.backupsFolder).objects.map(\.key.text)
            .filter { $0.hasSuffix(Self.markName) && !objects.contains($0) }
        return (objects + marks, try await store.unfinishedUploads(prefix: "").map(\.key.text))
    }

    static let markName = "wals_lease.json"

    /// Makes sure that a listed backup has exactly the objects its sentinel names, with their bytes.
    func verifyObjects(_ backup: String) async throws {
        let key = Layout.sentinel(backup)
        let sentinel = try Sentinel(parsing: try await store.get(key, limit: 1 << 20).bytes, object: key.text)
        let objects = try #require(sentinel.integrity).objects
        let stored = try await store.list(prefix: Layout.folder(backup)).objects.map(\.key.text)
            .filter { !$0.hasSuffix(Self.markName) }
        #expect(
            Set(stored) == Set(objects.map { Layout.folder(backup) + $0.name } + [Layout.metadata(backup).text]),
            "\(backup): other objects than its sentinel names")
        for object in objects {
            let bytes = try await store.get(ObjectKey(Layout.folder(backup) + object.name), limit: 64 << 20).bytes
            let isSame = MessageDigest.sha256(bytes.span.bytes) == object.sha256
            #expect(isSame, "\(backup): \(object.name) is not what its sentinel says")
        }
    }

    /// Restores a backup, verifies it by PostgreSQL's own means, and starts a server on it.
    func verifyRestore(_ backup: String) async throws {
        try await verifyObjects(backup)
        let restored = try Cluster(empty: "restored")
        let outcome = try await start(["backup-fetch", restored.data, backup], asServerUser: true)
            .wait(timeout: .seconds(120))
        guard outcome.exitCode == 0 else { throw ScenarioFailure(outcome.description) }
        try verifyRestored(restored, backup)
    }

    func verifyRestored(_ restored: Cluster, _ backup: String) throws {
        try restored.program("pg_verifybackup", ["-n", restored.data])
        try restored.configure([
            "unix_socket_directories = '\(restored.directory)'", "archive_mode = off",
            "restore_command = 'cp \(archive)/%f %p'",
        ])
        try Program.check(Cluster.asServerUser(["touch", restored.data + "/recovery.signal"]))
        try restored.start()
        #expect(try restored.sql("SELECT count(*), count(DISTINCT text) FROM marks") == "1000|1000", "\(backup)")
        try restored.stop("immediate")
    }

    /// Waits until the server has no session of the program any more.
    func waitForNoSession() throws {
        for _ in 0..<600 {
            if try cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'wal-s'") == "0" {
                return
            }
            usleep(50_000)
        }
        throw ScenarioFailure("a session of wal-s stays\n\(cluster.log())")
    }
}
