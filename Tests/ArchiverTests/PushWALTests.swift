import Archiver
import Bytes
import Postgres
import Storage
import Streams
import TestSupport
import Testing

/// An archive of one cluster on this machine, pushed to without a server.
private struct Bench {
    let folder: TemporaryDirectory
    let store: any ObjectStore

    init(_ store: any ObjectStore) throws {
        folder = try TemporaryDirectory()
        try FileSystem.makeDirectories(folder.file("pg_wal/archive_status"))
        self.store = store
    }

    init(local: Bool = false) throws {
        folder = try TemporaryDirectory()
        try FileSystem.makeDirectories(folder.file("pg_wal/archive_status"))
        if local {
            try FileSystem.makeDirectory(folder.file("store"))
            store = LocalStore(root: folder.file("store"))
        } else {
            store = MemoryStore()
        }
    }

    func state() -> LocalState { LocalState(base: folder.file("state"), location: store.location) }

    func pusher(_ method: CompressionMethod = .lz4, _ change: (inout PushWAL.Options) -> Void = { _ in }) -> PushWAL {
        var options = PushWAL.Options(compression: CompressionSettings(method: method))
        change(&options)
        return PushWAL(store: store, state: state(), options: options, log: .silent)
    }

    @discardableResult
    func place(_ segment: SyntheticSegment, as name: String? = nil) throws -> String {
        try folder.write(segment.bytes, to: "pg_wal/\(name ?? segment.name)")
    }

    func stored(_ key: ObjectKey, _ format: StoredFormat = .lz4) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        let pool = PartPool(partSize: 1 << 20, limit: 4)
        try await ObjectReading.read(key, format, from: store, pool: pool) { span in
            span.withUnsafeBytes { bytes += $0 }
        }
        return bytes
    }

    func walKeys() async throws -> [String] {
        try await store.list(prefix: "wal_005/", recursive: true).objects.map(\.key.name)
    }
}

private func kind(_ body: () async throws -> Void) async -> ArchiverError.Kind? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ArchiverError)?.kind
    }
}

@Suite struct PushWALTests {
    @Test(arguments: CompressionMethod.allCases)
    func `a segment is stored under its name and codec and reads back equal`(method: CompressionMethod) async throws {
        let bench = try Bench()
        let segment = SyntheticSegment(number: 3)
        try await bench.pusher(method).run(path: try bench.place(segment))
        let key = StoredWAL.key(segment.name, method)
        do {
            let isSame = try await same(bench.stored(key, method.storedFormat), segment.bytes)
            #expect(isSame)
        }
    }

    @Test(arguments: [true, false])
    func `the same segment again is success, a different one is refused and what is stored stays`(local: Bool)
        async throws
    {
        let bench = try Bench(local: local)
        let first = SyntheticSegment(number: 3)
        let path = try bench.place(first)
        try await bench.pusher().run(path: path)
        try await bench.pusher().run(path: path)
        try bench.place(SyntheticSegment(number: 3, mark: 9))
        #expect(await kind { try await bench.pusher().run(path: path) } == .conflict)
        do {
            let isSame = try await same(bench.stored(StoredWAL.key(first.name, .lz4)), first.bytes)
            #expect(isSame)
        }
    }

    @Test func `a different segment is refused under another codec too`() async throws {
        let bench = try Bench()
        let path = try bench.place(SyntheticSegment(number: 3))
        try await bench.pusher(.lz4).run(path: path)
        try await bench.pusher(.zstd).run(path: path)
        try bench.place(SyntheticSegment(number: 3, mark: 9))
        #expect(await kind { try await bench.pusher(.zstd).run(path: path) } == .conflict)
        #expect(await kind { try await bench.pusher(.brotli).run(path: path) } == .conflict)
        #expect(try await bench.walKeys() == [SyntheticSegment(number: 3).name + ".lz4"])
    }

    @Test func `of eight writers of different content one wins and its content is stored`() async throws {
        let bench = try Bench()
        let name = SyntheticSegment(number: 3).name
        // Everybody knows the codec and the claim, so that only the conditional write decides.
        try await bench.pusher().run(path: try bench.place(SyntheticSegment(number: 2)))
        let winners = try await withThrowingTaskGroup(of: UInt32?.self) { group in
            for mark in UInt32(1)...8 {
                let segment = SyntheticSegment(number: 3, mark: mark)
                let path = try bench.folder.write(segment.bytes, to: "writer\(mark)/pg_wal/\(name)")
                let pusher = bench.pusher()
                group.addTask {
                    let kind = await kind { try await pusher.run(path: path) }
                    if kind == nil { return mark }
                    #expect(kind == .conflict)
                    return nil
                }
            }
            return try await group.reduce(into: [UInt32]()) { if let mark = $1 { $0.append(mark) } }
        }
        #expect(winners.count == 1)
        let mark = try #require(winners.first)
        do {
            let isSame = try await same(
                bench.stored(StoredWAL.key(name, .lz4)), SyntheticSegment(number: 3, mark: mark).bytes)
            #expect(isSame)
        }
    }

    @Test func `short, empty, zero, renamed and cut segments are refused before anything is stored`() async throws {
        let bench = try Bench()
        let good = SyntheticSegment(number: 3)
        var bad: [(String, [UInt8])] = [
            ("half", Array(good.bytes.prefix(good.byteCount / 2))),
            ("empty", []),
            ("zero", [UInt8](repeating: 0, count: good.byteCount)),
            ("other", SyntheticSegment(number: 4).bytes),
            ("later timeline", SyntheticSegment(number: 3, timeline: 2).bytes),
            ("noise", (0..<good.byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }),
        ]
        bad.append(("one byte", [7]))
        for (what, bytes) in bad {
            let path = try bench.folder.write(bytes, to: "pg_wal/\(good.name)")
            #expect(await kind { try await bench.pusher().run(path: path) } == .corrupted, "\(what)")
        }
        #expect(try await bench.walKeys().isEmpty)
        #expect(try await bench.store.list(prefix: "").objects.isEmpty)
    }

    @Test(arguments: [true, false])
    func `an upload in parts ends the forgotten ones of its key, and of no other`(isAllowed: Bool) async throws {
        var store = OrphanStore()
        store.isListingAllowed = isAllowed
        let bench = try Bench(store)
        let segment = SyntheticSegment(number: 3)
        let key = StoredWAL.key(segment.name, .none)
        for name in [key.text, key.text + ".00000028.backup", key.text, "wal_005/other"] { store.leave(name) }
        try await bench.pusher(.none) { $0.partSize = 256 << 10 }.run(path: try bench.place(segment))
        let left = store.uploads.withLock { $0.map(\.key.text) }
        if isAllowed {
            #expect(left == [key.text + ".00000028.backup", "wal_005/other"])
        } else {
            #expect(left.count == 4)
        }
        #expect(try await store.info(key)?.byteCount == 1 << 20)
    }

    @Test(arguments: ["hello", "../00000001000000000000000A", "00000001000000000000000a", ".hidden", "00000001.histor"])
    func `other names are refused`(name: String) async throws {
        let bench = try Bench()
        let path = bench.folder.file("pg_wal/") + name
        #expect(await kind { try await bench.pusher().run(path: path) } != nil)
        #expect(try await bench.walKeys().isEmpty)
    }

    @Test func `any plain name goes with the setting, and is still not overwritten`() async throws {
        let bench = try Bench()
        let path = try bench.folder.write(Array("hello".utf8), to: "pg_wal/test_file")
        let pusher = bench.pusher { $0.allowAnyName = true }
        try await pusher.run(path: path)
        #expect(try await bench.walKeys() == ["test_file.lz4"])
        _ = try bench.folder.write(Array("other".utf8), to: "pg_wal/test_file")
        #expect(await kind { try await pusher.run(path: path) } == .conflict)
    }

    @Test func `a segment size that the settings contradict is refused`() async throws {
        let bench = try Bench()
        let path = try bench.place(SyntheticSegment(number: 3))
        let pusher = bench.pusher { $0.expectedSegmentSize = WALSegmentSize(byteCount: 64 << 20) }
        #expect(await kind { try await pusher.run(path: path) } == .configuration)
    }

    @Test func `a second cluster is refused, also without a claim when WAL of the first is there`() async throws {
        let bench = try Bench()
        try await bench.pusher().run(path: try bench.place(SyntheticSegment(number: 3)))
        let foreign = try bench.place(SyntheticSegment(number: 4, systemIdentifier: 42))
        #expect(await kind { try await bench.pusher().run(path: foreign) } == .configuration)
        _ = try await bench.store.delete(["wals_claim.json"])
        bench.state().remove("claim")
        #expect(await kind { try await bench.pusher().run(path: foreign) } == .configuration)
        #expect(try await bench.walKeys().count == 1)
        let guardian = ClaimGuard(store: bench.store, state: bench.state(), log: .silent)
        try await guardian.change(to: 42)
        try await bench.pusher().run(path: foreign)
        #expect(try await bench.walKeys().count == 2)
    }

    @Test func `a directory that lost everything since it was claimed is refused: it may not be mounted`() async throws
    {
        let bench = try Bench(local: true)
        try await bench.pusher().run(path: try bench.place(SyntheticSegment(number: 3)))
        try FileSystem.rename(bench.folder.file("store"), to: bench.folder.file("mounted"))
        try FileSystem.makeDirectory(bench.folder.file("store"))
        let next = try bench.place(SyntheticSegment(number: 4))
        #expect(await kind { try await bench.pusher().run(path: next) } == .configuration)
        #expect(try FileSystem.names(in: bench.folder.file("store")).isEmpty)
        try await ClaimGuard(store: bench.store, state: bench.state(), log: .silent)
            .change(to: SyntheticSegment(number: 3).systemIdentifier)
        try await bench.pusher().run(path: next)
    }

    @Test func `in a directory another codec's file is seen from every machine`() async throws {
        let bench = try Bench(local: true)
        try await bench.pusher(.lz4).run(path: try bench.place(SyntheticSegment(number: 3)))
        // Another machine: no hints, and a codec of its own that it has used before.
        func other(_ segment: SyntheticSegment) async throws {
            let state = LocalState(base: bench.folder.file("elsewhere"), location: bench.store.location)
            let options = PushWAL.Options(compression: CompressionSettings(method: .zstd))
            try await PushWAL(store: bench.store, state: state, options: options, log: .silent)
                .run(path: try bench.place(segment))
        }
        try await other(SyntheticSegment(number: 2))
        try await other(SyntheticSegment(number: 3))
        #expect(await kind { try await other(SyntheticSegment(number: 3, mark: 5)) } == .conflict)
    }

    @Test func `a claim that cannot be read is told, and can be replaced`() async throws {
        let bench = try Bench()
        _ = try await bench.store.put([UInt8](), at: "wals_claim.json", .replace)
        let path = try bench.place(SyntheticSegment(number: 3))
        #expect(await kind { try await bench.pusher().run(path: path) } == .corrupted)
        try await ClaimGuard(store: bench.store, state: bench.state(), log: .silent)
            .change(to: SyntheticSegment(number: 3).systemIdentifier)
        try await bench.pusher().run(path: path)
    }

    @Test func `a store that ignores the condition of a write is refused`() async throws {
        let bench = try Bench()
        let store = CarelessStore(base: bench.store)
        let options = PushWAL.Options(compression: CompressionSettings(method: .lz4))
        let pusher = PushWAL(store: store, state: bench.state(), options: options, log: .silent)
        let path = try bench.place(SyntheticSegment(number: 3))
        #expect(await kind { try await pusher.run(path: path) } == .configuration)
        #expect(try await bench.walKeys().isEmpty)
    }

    @Test func `files that are ready are pushed ahead and still asked for`() async throws {
        let bench = try Bench()
        for number in UInt64(3)...6 {
            let segment = SyntheticSegment(number: number)
            try bench.place(segment)
            _ = try bench.folder.write([], to: "pg_wal/archive_status/\(segment.name).ready")
        }
        // One that is broken must neither fail the run nor be stored.
        let broken = SyntheticSegment(number: 7)
        _ = try bench.folder.write([], to: "pg_wal/\(broken.name)")
        _ = try bench.folder.write([], to: "pg_wal/archive_status/\(broken.name).ready")
        let asked = SyntheticSegment(number: 3)
        try await bench.pusher().run(path: bench.folder.file("pg_wal/\(asked.name)"))
        #expect(try await bench.walKeys() == (UInt64(3)...6).map { SyntheticSegment(number: $0).name + ".lz4" })
        // A marker whose object has gone is no excuse: the file is stored again.
        let next = SyntheticSegment(number: 4)
        let key = StoredWAL.key(next.name, .lz4)
        _ = try await bench.store.delete([key])
        try await bench.pusher().run(path: bench.folder.file("pg_wal/\(next.name)"))
        do {
            let isSame = try await same(bench.stored(key), next.bytes)
            #expect(isSame)
        }
        // The limit counts the requested file.
        #expect(try FileSystem.names(in: bench.folder.file("pg_wal/archive_status")).count == 5)
    }

    @Test func `one file a run when the limit says so`() async throws {
        let bench = try Bench()
        for number in UInt64(3)...6 {
            let segment = SyntheticSegment(number: number)
            try bench.place(segment)
            _ = try bench.folder.write([], to: "pg_wal/archive_status/\(segment.name).ready")
        }
        let pusher = bench.pusher { $0.totalFiles = 1 }
        try await pusher.run(path: bench.folder.file("pg_wal/\(SyntheticSegment(number: 3).name)"))
        #expect(try await bench.walKeys().count == 1)
    }

    @Test func `a history that is none is refused, a different one is not overwritten`() async throws {
        let bench = try Bench()
        let path = try bench.folder.write(
            Array("1\t0/3000000\tno recovery target specified\n".utf8), to: "pg_wal/00000002.history")
        try await bench.pusher().run(path: path)
        _ = try bench.folder.write(
            Array("1\t0/4000000\tno recovery target specified\n".utf8), to: "pg_wal/00000002.history")
        #expect(await kind { try await bench.pusher().run(path: path) } == .conflict)
        let other = try bench.folder.write(Array("nonsense".utf8), to: "pg_wal/00000003.history")
        #expect(await kind { try await bench.pusher().run(path: other) } == .corrupted)
    }
}

/// A store that answers a conditional write as if there were no condition, as some S3 servers do.
private struct CarelessStore: ObjectStore {
    let base: any ObjectStore

    var location: String { base.location }

    func put(_ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await base.put(bytes, at: key, .replace)
    }

    func put(_ parts: [Part], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await base.put(parts, at: key, .replace)
    }

    func withUpload<Result: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool, _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> (result: Result, info: ObjectInfo) {
        try await base.withUpload(to: key, .replace, pool: pool, body)
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
