import Bytes
import Repository
import Server
import Storage
import Streams
import TestSupport
import Testing

@testable import Archiver

@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL server here"), .timeLimit(.minutes(3)), .serialized)
struct SentinelInDoubtTests {
    private func push(_ error: StorageError, takesEffect: Bool) async throws -> (store: MemoryStore, log: String) {
        let cluster = try Cluster(archiveCommand: "true")
        try cluster.start()
        let base = MemoryStore()
        let store = SentinelFailingStore(base: base, error: error, takesEffect: takesEffect)
        let lines = Locked([String]())
        let log = Log(level: .info, sink: { line in lines.withLock { $0.append(line) } })
        let settings = PushBackupSettings(
            directory: cluster.data, connection: ConnectionSettings(parameters: cluster.connection),
            compression: CompressionSettings(method: .none), streams: 1)
        let push = PushBackup(settings, store: store, checkClaim: { _ in }, log: log)
        await #expect(throws: error) { _ = try await push.run() }
        return (base, lines.withLock { $0.joined(separator: "\n") })
    }

    private static let lost = StorageError(
        .unavailable, operation: "PUT", key: "s", attempts: 3, detail: "the connection was reset")

    @Test(arguments: [true, false])
    func `a backup whose sentinel may be stored keeps its objects`(isStored: Bool) async throws {
        let (store, log) = try await push(Self.lost, takesEffect: isStored)
        #expect(log.contains("was stored is not known"))
        let listing = try await store.list(prefix: Layout.backupsFolder, recursive: false)
        let folder = try #require(listing.folders.first)
        let names = try await store.list(prefix: folder).objects.map(\.key.name)
        for name in ["metadata.json", "wals_lease.json", "pg_control.tar", "part_001.tar"] {
            #expect(names.contains(name), "\(names)")
        }
        #expect(listing.objects.compactMap { Layout.backup(ofSentinel: $0.key) }.count == (isStored ? 1 : 0))

        // What the next run does: the mark goes, and the objects only where there is no sentinel.
        var holder = BackupLease.Holder.current(hostname: ClaimGuard.hostname())
        holder.token = "the next run's"
        let later = Timestamp.now().advanced(by: .seconds(7 * 3600))
        let count = try await BackupDebris(store: store, holder: holder, log: .silent).remove(now: later)
        #expect(count == (isStored ? 1 : names.count))
    }

    @Test func `a backup whose sentinel was refused leaves nothing`() async throws {
        let refusal = StorageError(.permissionDenied, operation: "PUT", key: "s", status: 403, detail: "AccessDenied")
        let (store, _) = try await push(refusal, takesEffect: false)
        #expect(try await store.list(prefix: "").objects.isEmpty)
    }

    @Test(arguments: [
        StorageError(.permissionDenied, operation: "PUT", status: 403, attempts: 2, detail: ""),
        StorageError(.permissionDenied, operation: "GET", status: 403, detail: ""),
        StorageError(.unavailable, operation: "PUT", status: 408, detail: ""),
        StorageError(.unavailable, operation: "PUT", status: 500, detail: ""),
        StorageError(.cancelled, operation: "PUT", detail: ""),
        StorageError(.noSpace, operation: "PUT", detail: ""),
    ])
    func `only a refusal of the one attempt is certain`(error: StorageError) {
        #expect(!SentinelInDoubt.isRefusal(error))
    }
}

/// A store that fails the write of a sentinel, before or after taking it.
private struct SentinelFailingStore: ObjectStore {
    let base: MemoryStore
    let error: StorageError
    let takesEffect: Bool

    var location: String { base.location }

    func put(_ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        guard Layout.backup(ofSentinel: key) != nil else { return try await base.put(bytes, at: key, options) }
        if takesEffect { _ = try await base.put(bytes, at: key, options) }
        throw error
    }

    func put(_ parts: [Part], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await base.put(parts, at: key, options)
    }

    func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo) {
        try await base.withUpload(to: key, options, pool: pool, body)
    }

    func get(_ key: ObjectKey, limit: Int) async throws -> (bytes: [UInt8], info: ObjectInfo) {
        try await base.get(key, limit: limit)
    }

    func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo {
        try await base.download(key, pool: pool, ahead: ahead, receive)
    }

    func info(_ key: ObjectKey) async throws -> ObjectInfo? { try await base.info(key) }

    func list(prefix: String, recursive: Bool, startAfter: String?, limit: Int?) async throws -> Listing {
        try await base.list(prefix: prefix, recursive: recursive, startAfter: startAfter, limit: limit)
    }

    func delete(_ keys: [ObjectKey]) async throws -> [DeleteFailure] { try await base.delete(keys) }
}
