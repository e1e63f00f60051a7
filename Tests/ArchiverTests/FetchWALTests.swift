import Archiver
import Bytes
import Postgres
import Storage
import Streams
import TestSupport
import Testing

private struct Bench {
    let folder: TemporaryDirectory
    let store = MemoryStore()

    init() throws {
        folder = try TemporaryDirectory()
        try FileSystem.makeDirectories(folder.file("data/pg_wal"))
        try FileSystem.makeDirectories(folder.file("source"))
    }

    var state: LocalState { LocalState(base: folder.file("state"), location: store.location) }

    func push(_ segment: SyntheticSegment, _ method: CompressionMethod = .lz4) async throws {
        let path = try folder.write(segment.bytes, to: "source/\(segment.name)")
        let options = PushWAL.Options(compression: CompressionSettings(method: method))
        let state = LocalState(base: folder.file("push-state"), location: store.location)
        try await PushWAL(store: store, state: state, options: options, log: .silent).run(path: path)
    }

    func fetcher(
        _ mode: RecoveryMode = .oneShot, method: CompressionMethod = .lz4, prefetched: PrefetchDirectory? = nil,
        _ change: (inout FetchWAL.Options) -> Void = { _ in }
    ) -> FetchWAL {
        var options = FetchWAL.Options(mode: mode, method: method)
        options.dataDirectory = folder.file("data")
        options.gapPatience = .zero
        change(&options)
        return FetchWAL(store: store, state: state, prefetched: prefetched, options: options, log: .silent)
    }

    var target: String { folder.file("data/pg_wal/RECOVERYXLOG") }

    func leftovers() throws -> [String] { try FileSystem.names(in: folder.file("data/pg_wal")) }

    /// Stores raw bytes as they are, for damage.
    func overwrite(_ key: ObjectKey, _ bytes: [UInt8]) async throws {
        _ = try await store.put(bytes, at: key, .replace)
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

@Suite struct FetchWALTests {
    @Test(arguments: CompressionMethod.allCases, CompressionMethod.allCases)
    func `a segment is delivered whatever codec wrote it`(stored: CompressionMethod, guessed: CompressionMethod)
        async throws
    {
        let bench = try Bench()
        let segment = SyntheticSegment(number: 5)
        try await bench.push(segment, stored)
        try await bench.fetcher(method: guessed).run(segment.name, to: bench.target)
        do {
            let isSame = try same(FileSystem.contents(bench.target), segment.bytes)
            #expect(isSame)
        }
        #expect(try bench.leftovers() == ["RECOVERYXLOG"])
    }

    @Test func `a target that is no plain file is left alone`() async throws {
        let bench = try Bench()
        let segment = SyntheticSegment(number: 5)
        try await bench.push(segment)
        try FileSystem.symbolicLink(to: "/dev/null", at: bench.target)
        #expect(await kind { try await bench.fetcher().run(segment.name, to: bench.target) } == .localFile)
        #expect(try FileSystem.linkTarget(bench.target) == "/dev/null")
        try FileSystem.removeFile(bench.target)
        try FileSystem.makeDirectory(bench.target)
        #expect(await kind { try await bench.fetcher().run(segment.name, to: bench.target) } == .localFile)
    }

    @Test func `a name with WAL-G's dangling dot is found`() async throws {
        let bench = try Bench()
        let segment = SyntheticSegment(number: 5)
        try await bench.overwrite(ObjectKey("wal_005/\(segment.name)."), segment.bytes)
        try await bench.fetcher().run(segment.name, to: bench.target)
        do {
            let isSame = try same(FileSystem.contents(bench.target), segment.bytes)
            #expect(isSame)
        }
    }

    @Test func `a segment after the last is absent, one before it is a hole`() async throws {
        let bench = try Bench()
        try await bench.push(SyntheticSegment(number: 5))
        try await bench.push(SyntheticSegment(number: 7))
        let gap = SyntheticSegment(number: 6).name
        let end = SyntheticSegment(number: 8).name
        #expect(await kind { try await bench.fetcher().run(end, to: bench.target) } == .absent)
        #expect(await kind { try await bench.fetcher().run(gap, to: bench.target) } == .corrupted)
        #expect(await kind { try await bench.fetcher { $0.allowGap = true }.run(gap, to: bench.target) } == .absent)
        #expect(try bench.leftovers().isEmpty)
    }

    @Test func `a hole before a later timeline left is no end, the segment with the switch point may be missing`()
        async throws
    {
        let bench = try Bench()
        try await bench.push(SyntheticSegment(number: 5))
        try await bench.push(SyntheticSegment(number: 9, timeline: 3))
        // Timeline 2 left at segment 8; timeline 3 came from 2. Segment 8 itself ends as a partial one.
        try await bench.overwrite("wal_005/00000002.history", Array("1\t0/880000\tno recovery target specified\n".utf8))
        try await bench.overwrite(
            "wal_005/00000003.history", Array("1\t0/880000\tnone\n2\t0/8A0000\tnone\n".utf8))
        for number in UInt64(6)...7 {
            let name = SyntheticSegment(number: number).name
            let fetcher = bench.fetcher { $0.expectedSegmentSize = WALSegmentSize(byteCount: 1 << 20) }
            #expect(await kind { try await fetcher.run(name, to: bench.target) } == .corrupted, "\(name)")
        }
        for number in UInt64(8)...9 {
            let name = SyntheticSegment(number: number).name
            let fetcher = bench.fetcher { $0.expectedSegmentSize = WALSegmentSize(byteCount: 1 << 20) }
            #expect(await kind { try await fetcher.run(name, to: bench.target) } == .absent, "\(name)")
        }
        // A history that cannot be read proves nothing.
        try await bench.overwrite("wal_005/00000002.history", Array("nonsense".utf8))
        #expect(
            await kind { try await bench.fetcher().run(SyntheticSegment(number: 8).name, to: bench.target) } != .absent)
    }

    @Test func `a hole that a push under way closes is waited for`() async throws {
        let bench = try Bench()
        try await bench.push(SyntheticSegment(number: 5))
        try await bench.push(SyntheticSegment(number: 7))
        let late = SyntheticSegment(number: 6)
        let fetcher = bench.fetcher { $0.gapPatience = .seconds(30) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await fetcher.run(late.name, to: bench.target) }
            group.addTask { try await bench.push(late) }
            try await group.waitForAll()
        }
        let isSame = same(try FileSystem.contents(bench.target), late.bytes)
        #expect(isSame)
    }

    @Test func `another cluster's history is not delivered`() async throws {
        let bench = try Bench()
        let control = Path.join(SharedMaterial.packageRoot, "Tests/PostgresTests/Fixtures/pg_control-15")
        try FileSystem.makeDirectory(bench.folder.file("data/global"))
        _ = try bench.folder.write(try FileSystem.contents(control), to: "data/global/pg_control")
        let cluster = try #require(LocalCluster.controlFile(in: bench.folder.file("data"))).systemIdentifier
        try await bench.overwrite("wal_005/00000002.history", Array("1\t0/880000\tnone\n".utf8))
        let claims = ClaimGuard(store: bench.store, state: bench.state, log: .silent)
        try await claims.change(to: 42)
        #expect(await kind { try await bench.fetcher().run("00000002.history", to: bench.target) } == .configuration)
        #expect(try bench.leftovers().isEmpty)
        try await claims.change(to: cluster)
        try await bench.fetcher().run("00000002.history", to: bench.target)
        #expect(try bench.leftovers() == ["RECOVERYXLOG"])
    }

    @Test func `later objects that are not segments of the timeline are no hole`() async throws {
        let bench = try Bench()
        try await bench.push(SyntheticSegment(number: 5))
        try await bench.push(SyntheticSegment(number: 9, timeline: 2))
        let asked = SyntheticSegment(number: 6).name
        for name in [asked + ".partial.lz4", asked + ".00000028.backup.lz4", "000000010000000000000F00_delta.lz4"] {
            try await bench.overwrite(ObjectKey("wal_005/\(name)"), [1])
        }
        #expect(await kind { try await bench.fetcher().run(asked, to: bench.target) } == .absent)
    }

    @Test func `absence is not proven in a prefix that holds nothing or another cluster`() async throws {
        let bench = try Bench()
        let asked = SyntheticSegment(number: 6).name
        for name in [asked, "00000002.history", asked + ".partial"] {
            #expect(await kind { try await bench.fetcher().run(name, to: bench.target) } == .configuration)
        }
        #expect(await kind { try await bench.fetcher().run("00000001.history", to: bench.target) } == .absent)
    }

    @Test(arguments: ["hello", "../basebackups_005/x", "0000000100000000000000", "00000002.history.lz4"])
    func `other names are refused without asking the store`(name: String) async throws {
        let bench = try Bench()
        #expect(await kind { try await bench.fetcher().run(name, to: bench.target) } == .usage)
    }

    @Test(arguments: CompressionMethod.allCases)
    func `a flipped bit, a cut and another segment's object are refused and leave nothing`(method: CompressionMethod)
        async throws
    {
        let bench = try Bench()
        let segment = SyntheticSegment(number: 5)
        try await bench.push(segment, method)
        let key = StoredWAL.key(segment.name, method)
        let (stored, _) = try await bench.store.get(key, limit: 4 << 20)
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20 {
            var flipped = stored
            // Inside what carries content: with codec none, the header and the record.
            let at = Int.random(in: 0..<min(flipped.count, 64), using: &random)
            flipped[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try await bench.overwrite(key, flipped)
            let kind = await kind { try await bench.fetcher(method: method).run(segment.name, to: bench.target) }
            if kind == nil {
                // Not covered: padding and system identifier (bytes 20 to 31; there is no control file here, the
                // scenario tests have one), and what follows a switch record, which no reader looks at.
                let delivered = try FileSystem.contents(bench.target)
                for byte in 0..<64 where !(20..<32).contains(byte) {
                    #expect(delivered[byte] == segment.bytes[byte], "a flip at \(at) delivered another byte \(byte)")
                }
                try FileSystem.removeFile(bench.target)
            } else {
                #expect(kind == .corrupted)
            }
            #expect(try bench.leftovers().isEmpty)
        }
        for cut in [0, 1, stored.count / 2, stored.count - 1] {
            try await bench.overwrite(key, Array(stored.prefix(cut)))
            #expect(
                await kind { try await bench.fetcher(method: method).run(segment.name, to: bench.target) } == .corrupted
            )
        }
        let other = SyntheticSegment(number: 6)
        try await bench.push(other, method)
        let (swapped, _) = try await bench.store.get(StoredWAL.key(other.name, method), limit: 4 << 20)
        try await bench.overwrite(key, swapped)
        #expect(
            await kind { try await bench.fetcher(method: method).run(segment.name, to: bench.target) } == .corrupted)
        #expect(try bench.leftovers().isEmpty)
    }

    @Test func `two forms of one segment are delivered when equal and refused when not`() async throws {
        let bench = try Bench()
        let segment = SyntheticSegment(number: 5)
        try await bench.push(segment, .none)
        func packed(_ segment: SyntheticSegment) throws -> [UInt8] {
            var bytes: [UInt8] = []
            let packer = try Compressor(CompressionSettings(method: .zstd))
            try packer.update(segment.bytes.span.bytes) { span throws(StreamError) in
                span.withUnsafeBytes { bytes += $0 }
            }
            try packer.finish { span throws(StreamError) in span.withUnsafeBytes { bytes += $0 } }
            return bytes
        }
        let key = StoredWAL.key(segment.name, .zstd)
        try await bench.overwrite(key, try packed(segment))
        try await bench.fetcher(method: .lz4).run(segment.name, to: bench.target)
        do {
            let isSame = try same(FileSystem.contents(bench.target), segment.bytes)
            #expect(isSame)
        }
        try FileSystem.removeFile(bench.target)
        try await bench.overwrite(key, try packed(SyntheticSegment(number: 5, mark: 77)))
        #expect(await kind { try await bench.fetcher(method: .lz4).run(segment.name, to: bench.target) } == .conflict)
        #expect(try bench.leftovers().isEmpty)
    }

    @Test func `a history is kept for the late request of the same recovery`() async throws {
        let bench = try Bench()
        try await bench.push(SyntheticSegment(number: 5))
        let text = Array("1\t0/3000000\tno recovery target specified\n".utf8)
        try await bench.overwrite("wal_005/00000002.history", text)
        try await bench.fetcher(.oneShot).run("00000002.history", to: bench.target)
        try FileSystem.removeFile(bench.target)
        _ = try await bench.store.delete(["wal_005/00000002.history", "wals_claim.json"])
        try await bench.fetcher(.none).run("00000002.history", to: bench.target)
        #expect(try FileSystem.contents(bench.target) == text)
    }

    @Test func `a prefetched segment is handed over once, and only when it is what it must be`() async throws {
        let bench = try Bench()
        for number in UInt64(5)...8 { try await bench.push(SyntheticSegment(number: number)) }
        let directory = try PrefetchDirectory(
            base: bench.folder.file("prefetch"), location: bench.store.location,
            systemIdentifier: SyntheticSegment(number: 5).systemIdentifier, dataDirectory: bench.folder.file("data"))
        directory.setPosition(SyntheticSegment(number: 5).name)
        let size = try #require(WALSegmentSize(byteCount: 1 << 20))
        try await Prefetch(
            store: bench.store, directory: directory, method: .lz4, count: 10, concurrency: 2,
            systemIdentifier: SyntheticSegment(number: 5).systemIdentifier, size: size, log: .silent
        ).run()
        for number in UInt64(6)...8 { #expect(directory.isThere(SyntheticSegment(number: number).name)) }
        let six = SyntheticSegment(number: 6)
        _ = try await bench.store.delete([StoredWAL.key(six.name, .lz4)])
        let fetcher = bench.fetcher(prefetched: directory)
        try await fetcher.run(six.name, to: bench.target)
        do {
            let isSame = try same(FileSystem.contents(bench.target), six.bytes)
            #expect(isSame)
        }
        #expect(!directory.isThere(six.name))
        // Damaged on this machine: not used, fetched from the store instead.
        let seven = SyntheticSegment(number: 7)
        var damaged = seven.bytes
        damaged[50] ^= 4
        _ = try FileSystem.replace(directory.file(seven.name), with: damaged)
        try await fetcher.run(seven.name, to: bench.target)
        do {
            let isSame = try same(FileSystem.contents(bench.target), seven.bytes)
            #expect(isSame)
        }
    }

    @Test func `the prefetcher never keeps a damaged segment`() async throws {
        let bench = try Bench()
        let six = SyntheticSegment(number: 6)
        try await bench.push(SyntheticSegment(number: 5))
        try await bench.push(six)
        let key = StoredWAL.key(six.name, .lz4)
        var (stored, _) = try await bench.store.get(key, limit: 4 << 20)
        stored[stored.count - 1] ^= 1
        try await bench.overwrite(key, stored)
        let directory = try PrefetchDirectory(
            base: bench.folder.file("prefetch"), location: bench.store.location, systemIdentifier: six.systemIdentifier,
            dataDirectory: bench.folder.file("data"))
        directory.setPosition(SyntheticSegment(number: 5).name)
        let size = try #require(WALSegmentSize(byteCount: 1 << 20))
        try await Prefetch(
            store: bench.store, directory: directory, method: .lz4, count: 4, concurrency: 2,
            systemIdentifier: six.systemIdentifier, size: size, log: .silent
        ).run()
        #expect(!directory.isThere(six.name))
        #expect(try FileSystem.names(in: Path.join(directory.path, "running")).isEmpty)
    }
}
