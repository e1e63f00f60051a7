import Bytes
import TestSupport
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(2))) struct StoreReadingConformance {
    @Test(arguments: StoreKind.available)
    func `an object that is not there is told apart from every other failure`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            _ = try await fixture.store.put([1], at: "there/object", .create)
            for key: ObjectKey in ["absent", "there", "there/absent", "there/object/below", "no/such/folder"] {
                #expect(try await fixture.store.info(key) == nil)
                #expect(await failureKind { _ = try await fixture.store.get(key, limit: 10) } == .notFound)
                let pool = fixture.pool()
                #expect(await failureKind { _ = try await fixture.downloaded(key, pool: pool) } == .notFound)
                pool.expectAllBack()
            }
        }
    }

    @Test(arguments: StoreKind.available)
    func `an object longer than the limit is refused`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            _ = try await fixture.store.put([1, 2, 3], at: "key", .create)
            #expect(try await fixture.store.get("key", limit: 3).bytes == [1, 2, 3])
            do {
                _ = try await fixture.store.get("key", limit: 2)
                Issue.record("3 bytes were given where 2 were allowed")
            } catch let error as StorageError {
                #expect(error.kind == .invalidRequest)
                #expect(error.key == "key")
            }
        }
    }

    /// Sizes in tenths of a part.
    @Test(arguments: StoreKind.available, [0, 1, 10, 20, 43])
    func `a download brings the object in order in full parts`(kind: StoreKind, tenths: Int) async throws {
        try await StoreFixture.with(kind) { fixture in
            var generator = SeededGenerator(seed: 4)
            let bytes = generator.bytes(fixture.partSize * tenths / 10)
            let pool = fixture.pool()
            let stored = try await fixture.upload(bytes, to: "key", pool: pool)
            let (read, sizes, info) = try await fixture.downloaded("key", pool: pool)
            #expect(read == bytes)
            #expect(info.etag == stored.etag)
            #expect(info.byteCount == bytes.count)
            #expect(sizes.dropLast().allSatisfy { $0 == fixture.partSize })
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `a download needs no more than one part of the pool`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let bytes = [UInt8](repeating: 9, count: fixture.partSize * 2 + 1)
            _ = try await fixture.upload(bytes, to: "key", pool: fixture.pool())
            let pool = fixture.pool(1)
            #expect(try await fixture.downloaded("key", pool: pool).bytes == bytes)
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `the receiver's error ends a download`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let pool = fixture.pool()
            let bytes = [UInt8](repeating: 9, count: fixture.partSize * 3)
            _ = try await fixture.upload(bytes, to: "key", pool: pool)
            await #expect(throws: Interruption()) {
                try await fixture.store.download("key", pool: pool, ahead: 2) { part in
                    pool.give(part)
                    throw Interruption()
                }
            }
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `a cancelled download ends and gives every part back`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let pool = fixture.pool()
            _ = try await fixture.upload([UInt8](repeating: 9, count: fixture.partSize * 3), to: "key", pool: pool)
            let task = Task {
                try await fixture.store.download("key", pool: pool, ahead: 2) { part in
                    pool.give(part)
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            #expect(await failureKind { _ = try await task.value } == .cancelled)
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `removing takes away what is there and passes over what is not`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            for name in ["a/1", "a/2", "b/1", "c"] {
                _ = try await fixture.store.put([1], at: ObjectKey(name), .create)
            }
            #expect(try await fixture.store.delete([]) == [])
            #expect(try await fixture.store.delete(["a/1", "a/2", "absent", "a/absent/x", "c"]) == [])
            #expect(try await fixture.keys() == ["b/1"])
            #expect(try await fixture.store.list(prefix: "", recursive: false).folders == ["b/"])
        }
    }
}
