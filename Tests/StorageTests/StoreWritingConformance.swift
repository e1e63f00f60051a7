import Bytes
import TestSupport
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(2))) struct StoreWritingConformance {
    @Test(arguments: StoreKind.available, [0, 1, 100, 300_000])
    func `a written object is read, described and listed as it was written`(kind: StoreKind, count: Int) async throws {
        try await StoreFixture.with(kind) { fixture in
            let store = fixture.store
            var generator = SeededGenerator(seed: 1)
            let bytes = generator.bytes(count)
            let put = try await store.put(bytes, at: "folder/object", .replace)
            #expect(put.key == "folder/object")
            #expect(put.byteCount == count)
            let (read, got) = try await store.get("folder/object", limit: count)
            #expect(read == bytes)
            let info = try #require(try await store.info("folder/object"))
            #expect([got.key, info.key] == [put.key, put.key])
            #expect([got.byteCount, info.byteCount] == [count, count])
            #expect(info.etag != nil)
            #expect([got.etag, info.etag] == [put.etag, put.etag])
            let listed = try await store.list(prefix: "folder/")
            #expect(listed.objects.map(\.key) == ["folder/object"])
            #expect(listed.objects.map(\.byteCount) == [count])
            #expect(!listed.isTruncated)
        }
    }

    @Test(arguments: StoreKind.available)
    func `a write replaces what was there and changes the mark`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let first = try await fixture.store.put(Array("first".utf8), at: "key", .replace)
            let second = try await fixture.store.put(Array("other".utf8), at: "key", .replace)
            #expect(first.etag != second.etag)
            #expect(try await fixture.bytes("key") == Array("other".utf8))
        }
    }

    @Test(arguments: StoreKind.available)
    func `a write that must not replace is refused and changes nothing`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let store = fixture.store
            let first = try await store.put(Array("first".utf8), at: "a/key", .create)
            let refused = await failureKind { _ = try await store.put(Array("other".utf8), at: "a/key", .create) }
            #expect(refused == .alreadyExists)
            let pool = fixture.pool()
            let upload = await failureKind {
                _ = try await fixture.upload(Array("other".utf8), to: "a/key", .create, pool: pool)
            }
            #expect(upload == .alreadyExists)
            #expect(try await fixture.bytes("a/key") == Array("first".utf8))
            #expect(try await store.info("a/key")?.etag == first.etag)
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `one of eight writers of different content wins when none may replace`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        let bytes = [UInt8](repeating: UInt8(writer), count: 200_000)
                        do {
                            _ = try await fixture.store.put(bytes, at: "contested/key", .create)
                            return writer
                        } catch let error as StorageError where error.kind == .alreadyExists {
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.compactMap { $0 }
            }
            let winner = try #require(winners.first)
            #expect(winners.count == 1)
            #expect(try await fixture.bytes("contested/key") == [UInt8](repeating: UInt8(winner), count: 200_000))
        }
    }

    @Test(arguments: StoreKind.available)
    func `readers see one whole object while writers replace it`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let store = fixture.store
            _ = try await store.put([UInt8](repeating: 0, count: 150_000), at: "key", .replace)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 1..<4 {
                    group.addTask {
                        for _ in 0..<5 {
                            let bytes = [UInt8](repeating: UInt8(writer), count: 150_000 - writer * 1000)
                            _ = try await store.put(bytes, at: "key", .replace)
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<20 {
                        let bytes = try await fixture.bytes("key")
                        let first = try #require(bytes.first)
                        #expect(bytes == [UInt8](repeating: first, count: 150_000 - Int(first) * 1000))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: StoreKind.available)
    func `parts are joined and stay the caller's`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            var generator = SeededGenerator(seed: 2)
            let pieces = [10, 0, 4096, 1].map { generator.bytes($0) }
            let parts = pieces.map { bytes in
                let part = Part(capacity: 4096)
                part.append(bytes.span.bytes)
                return part
            }
            let info = try await fixture.store.put(parts, at: "joined", .create)
            #expect(info.byteCount == 4107)
            #expect(try await fixture.bytes("joined") == pieces.flatMap { $0 })
            #expect(parts.map(\.count) == [10, 0, 4096, 1])
        }
    }

    /// Sizes in tenths of a part.
    @Test(arguments: StoreKind.available, [0, 1, 10, 11, 20, 35])
    func `an upload of any number of parts is stored whole`(kind: StoreKind, tenths: Int) async throws {
        try await StoreFixture.with(kind) { fixture in
            var generator = SeededGenerator(seed: 3)
            let bytes = generator.bytes(fixture.partSize * tenths / 10)
            let pool = fixture.pool()
            let info = try await fixture.upload(bytes, to: "deep/er/upload", .create, pool: pool)
            #expect(info.byteCount == bytes.count)
            #expect(try await fixture.store.info("deep/er/upload")?.etag == info.etag)
            #expect(try await fixture.bytes("deep/er/upload") == bytes)
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `an upload hands on what its body returns`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let (result, info) = try await fixture.store.withUpload(to: "key", .replace, pool: fixture.pool()) { _ in 42
            }
            #expect(result == 42)
            #expect(info.byteCount == 0)
        }
    }

    @Test(arguments: StoreKind.available, [0, 1, 3])
    func `an upload whose body throws leaves the key as it was`(kind: StoreKind, parts: Int) async throws {
        try await StoreFixture.with(kind) { fixture in
            let pool = fixture.pool()
            _ = try await fixture.store.put(Array("old".utf8), at: "old", .replace)
            for key: ObjectKey in ["old", "new"] {
                await #expect(throws: Interruption()) {
                    _ = try await fixture.store.withUpload(to: key, .replace, pool: pool) { upload in
                        for _ in 0..<parts { try await upload.append(try await fixture.fullPart(pool)) }
                        throw Interruption()
                    }
                }
            }
            #expect(try await fixture.keys() == ["old"])
            #expect(try await fixture.bytes("old") == Array("old".utf8))
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `an upload whose task is cancelled leaves nothing`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let pool = fixture.pool()
            let task = Task {
                _ = try await fixture.store.withUpload(to: "key", .replace, pool: pool) { upload in
                    try await upload.append(try await fixture.fullPart(pool))
                    withUnsafeCurrentTask { $0?.cancel() }
                    if let part = pool.tryTake() {
                        part.append(([1, 2, 3] as [UInt8]).span.bytes)
                        // A body that passes over the error must not get its object either.
                        try? await upload.append(part)
                    }
                }
            }
            #expect(await failureKind { try await task.value } == .cancelled)
            let left = try await fixture.keys()
            #expect(left == [])
            pool.expectAllBack()
        }
    }

    @Test(arguments: StoreKind.available)
    func `odd keys are written, read, listed and removed`(kind: StoreKind) async throws {
        let keys = [
            "plain", "with space", "plus+plus", "per%20cent", "question?x=1&y=2", "hash#tag", "quote'\"", "a=b;c,d",
            "semi:colon@at", "back\\slash", "tilde~", "star*", "(paren)", "[bracket]{brace}", "<tag>&amp;", ".hidden",
            "trailing.", "ümlaut", "u\u{308}mlaut", "日本/東京", "emoji🙂", "line\nbreak", "tab\there", "~", "a//b",
        ].filter { !kind.isLocal || !$0.contains("//") }
        try await StoreFixture.with(kind) { fixture in
            for key in keys { _ = try await fixture.store.put(Array(key.utf8), at: ObjectKey("odd/" + key), .create) }
            for key in keys { #expect(try await fixture.bytes(ObjectKey("odd/" + key)) == Array(key.utf8)) }
            let listed = try await fixture.keys("odd/")
            let expected = keys.map { "odd/" + $0 }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(listed.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
        }
    }

    @Test(arguments: StoreKind.withoutFolders)
    func `an object and a folder may have one name`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            _ = try await fixture.store.put([1], at: "a", .create)
            _ = try await fixture.store.put([2], at: "a/b", .create)
            #expect(try await fixture.keys() == ["a", "a/b"])
            #expect(try await fixture.bytes("a") == [1])
            #expect(try await fixture.bytes("a/b") == [2])
        }
    }
}

extension StoreFixture {
    func fullPart(_ pool: PartPool) async throws -> Part {
        let part = try await pool.take()
        part.append([UInt8](repeating: 7, count: partSize).span.bytes)
        return part
    }
}
