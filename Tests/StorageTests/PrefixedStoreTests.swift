import Bytes
import Testing

@testable import Storage

@Suite struct PrefixedStoreTests {
    @Test(arguments: [
        ("", "memory://m", "key"), ("/", "memory://m", "key"), ("a", "memory://m/a", "a/key"),
        ("/a/b/", "memory://m/a/b", "a/b/key"), ("ä", "memory://m/ä", "ä/key"),
    ])
    func `keys get the prefix, however its slashes are given`(prefix: String, location: String, key: String)
        async throws
    {
        let base = MemoryStore(name: "m")
        let store = PrefixedStore(base, prefix: prefix)
        let info = try await store.put([1], at: "key", .create)
        #expect(store.location == location)
        #expect(info.key == "key")
        #expect(try await base.list(prefix: "").objects.map(\.key.text) == [key])
    }

    @Test func `errors name the key as the caller knows it`() async throws {
        let store = PrefixedStore(MemoryStore(), prefix: "some/where")
        let notFound = StorageError(
            .notFound, operation: "read", key: "key", detail: "there is no such object")
        await #expect(throws: notFound) { _ = try await store.get("key", limit: 1) }
        let local = PrefixedStore(LocalStore(root: "/"), prefix: "some/where")
        let failures = try await local.delete(["../x"])
        #expect(failures.map(\.key) == ["../x"])
        #expect(failures.map(\.error.key) == ["../x"])
    }

    @Test func `neighbours of the prefix are not seen`() async throws {
        let base = MemoryStore()
        for key: ObjectKey in ["a", "a-b/key", "a/key", "ab/key"] { _ = try await base.put([1], at: key, .create) }
        let store = PrefixedStore(base, prefix: "a")
        #expect(try await store.list(prefix: "").objects.map(\.key) == ["key"])
        #expect(try await store.delete(["key", "-b/key", "b/key"]) == [])
        #expect(try await base.list(prefix: "").objects.map(\.key) == ["a", "a-b/key", "ab/key"])
    }
}
