import Bytes
import Glibc
import Storage
import TestSupport

/// An archive of a test's own: the settings that lead the program there, and a store for looking into it.
struct WALArchive: Sendable {
    let place: ArchivePlace
    /// Looks into the archive past every fault.
    let store: any ObjectStore
    /// What the program is told.
    let settings: [String: String]
    /// Between the program and a real S3 server; nil for the directory.
    let faults: FaultServer?
    /// Keeps the directory; nil on S3.
    let folder: TemporaryDirectory?

    /// An empty archive, or one that holds `objects`.
    static func make(
        _ place: ArchivePlace, holding objects: [(key: ObjectKey, bytes: [UInt8])] = []
    ) async throws -> WALArchive {
        let archive = try place == .s3 ? remote() : local()
        for object in objects { _ = try await archive.store.put(object.bytes, at: object.key, .create) }
        if let folder = archive.folder { try ServerUser.own(folder.path) }
        return archive
    }

    private static func local() throws -> WALArchive {
        let folder = try TemporaryDirectory("wal-s-archive")
        return WALArchive(
            place: .directory, store: LocalStore(root: folder.path), settings: ["WALG_FILE_PREFIX": folder.path],
            faults: nil, folder: folder)
    }

    private static func remote() throws -> WALArchive {
        func value(_ name: String) -> String { TestEnvironment.value(name) ?? "" }
        let endpoint = value("WALS_TEST_S3_ENDPOINT")
        let prefix = "wal-\(UInt64.random(in: 0 ... .max))"
        let bucket = value("WALS_TEST_S3_BUCKET")
        let faults = try FaultServer(upstream: endpoint)
        let configuration = S3Configuration(
            bucket: bucket, prefix: prefix, endpoint: try S3Endpoint(parsing: endpoint), pathStyle: true,
            credentials: StaticCredentials(
                accessKey: value("WALS_TEST_S3_ACCESS_KEY"), secretKey: Secret(value("WALS_TEST_S3_SECRET_KEY"))))
        return WALArchive(
            place: .s3, store: S3Store(configuration, log: .silent),
            settings: [
                "WALG_S3_PREFIX": "s3://\(bucket)/\(prefix)", "AWS_ENDPOINT": faults.endpoint,
                "AWS_S3_FORCE_PATH_STYLE": "true", "AWS_ACCESS_KEY_ID": value("WALS_TEST_S3_ACCESS_KEY"),
                "AWS_SECRET_ACCESS_KEY": value("WALS_TEST_S3_SECRET_KEY"), "AWS_REGION": "us-east-1",
            ],
            faults: faults, folder: nil)
    }

    /// The stored bytes under a key; nil when there are none.
    func stored(_ key: String) async throws -> [UInt8]? {
        do { return try await store.get(ObjectKey(key), limit: 1 << 30).bytes } catch let error as StorageError
            where error.kind == .notFound
        { return nil }
    }

    /// Changes what is stored, as a broken disk or an intruder would.
    func replace(_ key: String, _ bytes: [UInt8]) async throws {
        _ = try await store.put(bytes, at: ObjectKey(key), .replace)
        if let folder { try ServerUser.own(folder.path) }
    }

    func remove(_ key: String) async throws {
        guard try await store.delete([ObjectKey(key)]).isEmpty else { throw ScenarioFailure("\(key) stays") }
    }

    func keys() async throws -> [String] { try await store.list(prefix: "").objects.map(\.key.text) }
}
