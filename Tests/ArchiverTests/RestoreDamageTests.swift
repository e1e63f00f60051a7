import Bytes
import Postgres
import Repository
import Storage
import Streams
import TestSupport
import Testing

@testable import Archiver

/// Stored objects changed at rest: never restored as if nothing were wrong (walg-faults.md, F2).
@Suite struct RestoreDamageTests {
    enum Outcome: Equatable { case refused, equal, wrong }

    /// Restores and compares with what should come.
    static func restore(_ store: any ObjectStore, _ backup: SyntheticBackup) async throws -> Outcome {
        let folder = try TemporaryDirectory()
        var settings = RestoreSettings(destination: folder.file("data"), selection: .name(backup.name))
        settings.syncs = false
        do {
            _ = try await FetchBackup(settings, store: store, log: .silent, pause: { _ in }).run()
        } catch {
            // Refused, and no server can start on what is there.
            #expect(try FileSystem.status(folder.file("data/global/pg_control")) == nil)
            return .refused
        }
        return try SyntheticBackup.contents(of: folder, "data") == backup.contents ? .equal : .wrong
    }

    static func objects(_ backup: SyntheticBackup) -> [ObjectKey] {
        [
            backup.key("part_001.tar"), backup.key("part_002.tar"), backup.key("pg_control.tar"),
            backup.key("backup_label.tar"), Layout.filesMetadata(backup.name),
        ]
    }

    @Test(arguments: CompressionMethod.allCases)
    func `our backups: a flipped bit anywhere in an object is refused`(_ method: CompressionMethod) async throws {
        var backup = try SyntheticBackup()
        backup.method = method
        let store = MemoryStore()
        try await backup.write(to: store)
        var random = SeededGenerator(seed: 7)
        for key in Self.objects(backup) {
            let (bytes, _) = try await store.get(key, limit: 1 << 24)
            for _ in 0..<6 {
                var damaged = bytes
                damaged[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
                _ = try await store.put(damaged, at: key, .replace)
                #expect(try await Self.restore(store, backup) == .refused, "\(key)")
            }
            _ = try await store.put(bytes, at: key, .replace)
        }
        #expect(try await Self.restore(store, backup) == .equal)
    }

    @Test(arguments: [true, false], CompressionMethod.allCases)
    func `a cut or missing object is refused by its name`(isOurs: Bool, _ method: CompressionMethod) async throws {
        var backup = try SyntheticBackup()
        backup.method = method
        backup.isOurs = isOurs
        let store = MemoryStore()
        try await backup.write(to: store)
        for key in Self.objects(backup) {
            let (bytes, _) = try await store.get(key, limit: 1 << 24)
            for count in [0, 1, bytes.count / 2, bytes.count - 1] {
                _ = try await store.put(Array(bytes.prefix(count)), at: key, .replace)
                let outcome = try await Self.restore(store, backup)
                // WAL-G's uncompressed tars may lose zeros of their end and still be whole.
                let isHarmless = !isOurs && method == .none && count == bytes.count - 1 && outcome == .equal
                #expect(outcome == .refused || isHarmless, "\(key) cut to \(count) of \(bytes.count): \(outcome)")
            }
            _ = try await store.delete([key])
            do {
                var settings = RestoreSettings(destination: "/nonexistent/x", selection: .name(backup.name))
                let folder = try TemporaryDirectory()
                settings.destination = folder.file("data")
                _ = try await FetchBackup(settings, store: store, log: .silent, pause: { _ in }).run()
                Issue.record("restored without \(key)")
            } catch {
                let name =
                    key.name == "backup_label.tar.\(method.fileExtension)" && !isOurs ? "backup_label.tar" : key.name
                let base = name.hasPrefix("pg_control") ? "pg_control.tar" : name
                #expect("\(error)".contains(base), "\(key): \(error)")
            }
            _ = try await store.put(bytes, at: key, .replace)
        }
    }

    /// WAL-G stores no digest.
    ///
    /// What its codecs do not notice, nothing can: this counts it.
    @Test(arguments: [
        (CompressionMethod.lz4, 0...0), (.zstd, 0...0), (.brotli, 0...40), (.lzma, 0...40), (.none, 0...40),
    ])
    func `WAL-G's backups: flips that no checksum covers are few, and none with lz4 and zstd`(
        _ method: CompressionMethod, _ allowed: ClosedRange<Int>
    ) async throws {
        var backup = try SyntheticBackup()
        backup.method = method
        backup.isOurs = false
        let store = MemoryStore()
        try await backup.write(to: store)
        var random = SeededGenerator(seed: 11)
        var wrong = 0
        for key in Self.objects(backup).prefix(2) {
            let (bytes, _) = try await store.get(key, limit: 1 << 24)
            for _ in 0..<20 {
                var damaged = bytes
                damaged[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
                _ = try await store.put(damaged, at: key, .replace)
                if try await Self.restore(store, backup) == .wrong { wrong += 1 }
            }
            _ = try await store.put(bytes, at: key, .replace)
        }
        #expect(allowed.contains(wrong))
        print("WAL-G format, \(method): \(wrong) of 40 flipped bits in parts restored unnoticed")
    }

    @Test(arguments: [true, false])
    func `an object of another backup in the place of its like is refused`(isOurs: Bool) async throws {
        var backup = try SyntheticBackup(seed: 1)
        backup.isOurs = isOurs
        var other = try SyntheticBackup(seed: 2)
        other.isOurs = isOurs
        // Ten minutes later, everything was written anew.
        let later = SyntheticBackup.time.advanced(by: .seconds(600))
        for part in other.parts.indices {
            for index in other.parts[part].indices { other.parts[part][index].entry.modified = later }
        }
        let label = String(decoding: other.label?[0].bytes ?? [], as: UTF8.self)
        other.label?[0].bytes = Array(label.replacing("0/3000028", with: "0/3000060").utf8)
        other.sentinel.startLSN = LSN(0x300_0060)
        let store = MemoryStore()
        let foreign = MemoryStore()
        try await backup.write(to: store)
        try await other.write(to: foreign)
        for key in Self.objects(backup) + [Layout.sentinel(backup.name)]
        where !key.name.hasPrefix("pg_control") {
            let (bytes, _) = try await store.get(key, limit: 1 << 24)
            let (swapped, _) = try await foreign.get(key, limit: 1 << 24)
            _ = try await store.put(swapped, at: key, .replace)
            #expect(try await Self.restore(store, backup) == .refused, "\(key)")
            _ = try await store.put(bytes, at: key, .replace)
        }
    }

    @Test func `a sentinel with one flipped bit brings the right files or nothing`() async throws {
        let backup = try SyntheticBackup()
        let store = MemoryStore()
        try await backup.write(to: store)
        let key = Layout.sentinel(backup.name)
        let (bytes, _) = try await store.get(key, limit: 1 << 20)
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 7)
            _ = try await store.put(damaged, at: key, .replace)
            #expect(try await Self.restore(store, backup) != .wrong, "byte \(index)")
        }
    }

    /// An uncompressed backup of a real cluster: only page checksums can tell.
    @Test(.enabled(if: FixtureBucket.has("codec-none"), "needs ../shared/fixtures/walg/codec-none"))
    func `WAL-G's uncompressed backup: page checksums find what flips in pages`() async throws {
        let bucket = try FixtureBucket("codec-none")
        let name = "base_00000001000000000000000B"
        let key = Layout.tarFolder(name) + "part_001.tar"
        let bytes = try bucket.bytes(key)
        var random = SeededGenerator(seed: 3)
        var found = 0
        var refused = 0
        for _ in 0..<20 {
            var damaged = bytes
            damaged[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            try bucket.change(key, to: damaged)
            let folder = try TemporaryDirectory()
            var settings = RestoreSettings(destination: folder.file("data"), selection: .name(name))
            settings.syncs = false
            do {
                _ = try await FetchBackup(settings, store: LocalStore(root: bucket.path), log: .silent).run()
            } catch let error as ArchiverError {
                #expect(error.kind == .corrupted)
                if error.message.contains("pages do not match their checksum") { found += 1 } else { refused += 1 }
            }
        }
        print("WAL-G format, none, real pages: of 20 flips \(refused) refused, \(found) found by page checksums")
        #expect(found + refused >= 12)
        try bucket.change(key, to: bytes)
        let folder = try TemporaryDirectory()
        let settings = RestoreSettings(destination: folder.file("data"), selection: .name(name))
        _ = try await FetchBackup(settings, store: LocalStore(root: bucket.path), log: .silent).run()
    }
}
