import Bytes
import TestSupport
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(2))) struct StoreListingConformance {
    /// In the order of their bytes: `-` and `.` come before the slash, digits after it.
    private static let keys = [
        "a-b", "a.b", "a/1", "a/10", "a/2", "a/b/c", "a/b/d", "a/b-c", "a0", "aa/x", "b", "ä", "日", "🙂",
    ].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }

    private func withKeys(_ kind: StoreKind, _ body: (StoreFixture) async throws -> Void) async throws {
        try await StoreFixture.with(kind) { fixture in
            for key in Self.keys { _ = try await fixture.store.put(Array(key.utf8), at: ObjectKey(key), .create) }
            try await body(fixture)
        }
    }

    @Test(arguments: StoreKind.available)
    func `every prefix lists the keys that begin with it, by their bytes`(kind: StoreKind) async throws {
        try await withKeys(kind) { fixture in
            for prefix in [
                "", "a", "a/", "a/b", "a/b/", "a/1", "aa", "b", "b/", "x", "ä", "/", "a//", "..", "../", "./a",
            ] {
                let expected = Self.keys.filter { $0.utf8.starts(with: prefix.utf8) }
                let found = try await fixture.keys(prefix)
                #expect(found == expected, "prefix \(prefix)")
            }
        }
    }

    @Test(arguments: StoreKind.available)
    func `a listing of one level folds what lies deeper`(kind: StoreKind) async throws {
        try await withKeys(kind) { fixture in
            for prefix in ["", "a", "a/", "a/b", "a/b/", "aa", "x"] {
                var objects: [String] = []
                var folders: [String] = []
                for key in Self.keys where key.utf8.starts(with: prefix.utf8) {
                    let rest = key.dropFirst(prefix.count)
                    guard let slash = rest.firstIndex(of: "/") else {
                        objects.append(key)
                        continue
                    }
                    let folder = String(key[...slash])
                    if folders.last != folder { folders.append(folder) }
                }
                let listing = try await fixture.store.list(prefix: prefix, recursive: false)
                #expect(listing.objects.map(\.key.text) == objects, "prefix \(prefix)")
                #expect(listing.folders == folders, "prefix \(prefix)")
                #expect(!listing.isTruncated)
            }
        }
    }

    @Test(arguments: StoreKind.available)
    func `a listing starts after any key, there or not`(kind: StoreKind) async throws {
        try await withKeys(kind) { fixture in
            for start in Self.keys + ["a", "a/", "a/b/", "a/b/cc", "a/zzz", "zz", "\u{10FFFF}"] {
                let expected = Self.keys.filter { start.utf8.lexicographicallyPrecedes($0.utf8) }
                let found = try await fixture.keys(startAfter: start)
                #expect(found == expected, "after \(start)")
                let below = expected.filter { $0.utf8.starts(with: "a/".utf8) }
                let foundBelow = try await fixture.keys("a/", startAfter: start)
                #expect(foundBelow == below, "a/ after \(start)")
            }
        }
    }

    @Test(arguments: StoreKind.available)
    func `a limited listing says whether there is more`(kind: StoreKind) async throws {
        try await withKeys(kind) { fixture in
            for limit in [1, 3, Self.keys.count - 1, Self.keys.count, Self.keys.count + 1] {
                let listing = try await fixture.store.list(prefix: "", recursive: true, startAfter: nil, limit: limit)
                #expect(listing.objects.map(\.key.text) == Array(Self.keys.prefix(limit)))
                #expect(listing.isTruncated == (limit < Self.keys.count), "limit \(limit)")
            }
            // a-b, a.b, a/, a0 … : the limit counts folders too.
            let level = try await fixture.store.list(prefix: "", recursive: false, startAfter: nil, limit: 3)
            #expect(level.objects.map(\.key.text) == ["a-b", "a.b"])
            #expect(level.folders == ["a/"])
            #expect(level.isTruncated)
        }
    }

    @Test(arguments: StoreKind.available)
    func `a limited listing goes on from its last key`(kind: StoreKind) async throws {
        try await withKeys(kind) { fixture in
            var found: [String] = []
            while true {
                let page = try await fixture.store.list(
                    prefix: "", recursive: true, startAfter: found.last, limit: 4)
                found += page.objects.map(\.key.text)
                if !page.isTruncated { break }
            }
            #expect(found == Self.keys)
        }
    }

    /// More than the thousand that S3 gives or takes at once.
    @Test(arguments: StoreKind.available)
    func `listing and removing go over many pages`(kind: StoreKind) async throws {
        try await StoreFixture.with(kind) { fixture in
            let keys = (0..<1050).map { "many/\(String($0 + 10000))" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<4 {
                    group.addTask {
                        for index in stride(from: lane, to: keys.count, by: 4) {
                            _ = try await fixture.store.put([1], at: ObjectKey(keys[index]), .replace)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await fixture.keys("many/") == keys)
            let limited = try await fixture.store.list(prefix: "many/", recursive: true, startAfter: nil, limit: 1020)
            #expect(limited.objects.count == 1020)
            #expect(limited.isTruncated)
            #expect(try await fixture.store.delete(keys.map { ObjectKey($0) }) == [])
            #expect(try await fixture.keys("many/") == [])
        }
    }
}
