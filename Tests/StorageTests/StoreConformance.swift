import Bytes
import TestSupport
import Testing

@testable import Storage

/// A store that the conformance suites run over.
///
/// S3 takes part when `WALS_TEST_S3_ENDPOINT`, `_ACCESS_KEY`, `_SECRET_KEY` and `_BUCKET` are set;
/// `scripts/s3-server up DIR` prints them.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case prefixedMemory = "a folder in memory"
    case local = "local directory"
    case prefixedLocal = "a folder of a local directory"
    case s3 = "S3"

    var testDescription: String { rawValue }
    var isLocal: Bool { self == .local || self == .prefixedLocal }

    static var available: [StoreKind] { allCases.filter { $0 != .s3 || S3Server.isThere } }

    /// Stores that tell two objects `a` and `a/b` apart.
    static var withoutFolders: [StoreKind] { available.filter { !$0.isLocal } }

    static func s3Store() -> (any ObjectStore)? {
        guard S3Server.isThere, let configuration = try? S3Server.configuration(prefix: "") else { return nil }
        return S3Store(configuration, log: .silent)
    }
}

/// A fresh, empty store of a kind, with all that it needs to live.
final class StoreFixture: Sendable {
    let store: any ObjectStore
    /// Small for the quick stores, the smallest that S3 takes for S3.
    let partSize: Int
    private let directory: TemporaryDirectory?

    init(_ kind: StoreKind) throws {
        var directory: TemporaryDirectory?
        switch kind {
        case .memory: store = MemoryStore()
        case .prefixedMemory: store = PrefixedStore(MemoryStore(), prefix: "/some/where/")
        case .local, .prefixedLocal:
            let made = try TemporaryDirectory()
            directory = made
            let local = LocalStore(root: made.path)
            store = kind == .local ? local : PrefixedStore(local, prefix: "some/where")
        case .s3:
            let prefix = "conformance/\(UInt64.random(in: 0 ... .max))"
            store = S3Store(try S3Server.configuration(prefix: prefix), log: .silent)
        }
        self.directory = directory
        partSize = kind == .s3 ? 5 << 20 : 64 << 10
    }

    func pool(_ limit: Int = 4) -> PartPool { PartPool(partSize: partSize, limit: limit) }

    /// Runs `body` and removes afterwards what it stored.
    static func with(_ kind: StoreKind, _ body: (StoreFixture) async throws -> Void) async throws {
        if kind == .s3 { try await S3Store(S3Server.configuration(prefix: ""), log: .silent).createBucket() }
        let fixture = try StoreFixture(kind)
        try await body(fixture)
        let left = try await fixture.store.list(prefix: "")
        #expect(try await fixture.store.delete(left.objects.map(\.key)) == [])
        #expect(try await fixture.store.list(prefix: "") == Listing())
    }

    /// Stores bytes as an upload in full parts.
    func upload(
        _ bytes: [UInt8], to key: ObjectKey, _ options: PutOptions = .replace, pool: PartPool
    ) async throws -> ObjectInfo {
        try await store.withUpload(to: key, options, pool: pool) { upload in
            var offset = 0
            while offset < bytes.count {
                let part = try await pool.take()
                offset += part.append(bytes.span.bytes.extracting(droppingFirst: offset))
                try await upload.append(part)
            }
        }.info
    }

    /// The object as `download` gives it, and the sizes of the parts that came.
    func downloaded(_ key: ObjectKey, pool: PartPool) async throws -> (bytes: [UInt8], sizes: [Int], info: ObjectInfo) {
        var bytes: [UInt8] = []
        var sizes: [Int] = []
        let info = try await store.download(key, pool: pool, ahead: 2) { part in
            part.withUnsafeBytes { bytes.append(contentsOf: $0) }
            sizes.append(part.count)
            pool.give(part)
        }
        return (bytes, sizes, info)
    }

    func bytes(_ key: ObjectKey) async throws -> [UInt8] {
        try await store.get(key, limit: 64 << 20).bytes
    }

    func keys(
        _ prefix: String = "", startAfter: String? = nil, limit: Int? = nil
    ) async throws -> [String] {
        try await store.list(prefix: prefix, recursive: true, startAfter: startAfter, limit: limit)
            .objects.map(\.key.text)
    }
}

extension PartPool {
    /// Checks that every part was given back.
    func expectAllBack(sourceLocation: SourceLocation = #_sourceLocation) {
        var taken: [Part] = []
        while let part = tryTake() { taken.append(part) }
        #expect(taken.count == limit, "parts were kept", sourceLocation: sourceLocation)
        for part in taken { give(part) }
    }
}

/// The kind of the `StorageError` that `body` throws; a `CancellationError` counts as cancelled.
func failureKind(_ body: () async throws -> Void) async -> StorageError.Kind? {
    do {
        try await body()
        return nil
    } catch let error as StorageError {
        return error.kind
    } catch is CancellationError {
        return .cancelled
    } catch {
        Issue.record(error)
        return nil
    }
}

/// What a test's own code throws.
struct Interruption: Error, Equatable {}
