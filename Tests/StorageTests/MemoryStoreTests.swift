import Bytes
import Testing

@testable import Storage

@Suite struct MemoryStoreTests {
    private let store = MemoryStore(clock: { Timestamp(seconds: 1) })

    @Test(arguments: ["", "a\0b"])
    func `a key that no store takes is refused`(key: String) async {
        func refusal(_ operation: String) -> StorageError {
            StorageError(
                .invalidRequest, operation: operation, key: ObjectKey(key),
                detail: "a key is not empty and holds no NUL")
        }
        await #expect(throws: refusal("write")) { _ = try await store.put([1], at: ObjectKey(key), .replace) }
        await #expect(throws: refusal("stat")) { _ = try await store.info(ObjectKey(key)) }
    }

    @Test func `a part after one that was not full is refused, and the upload is lost`() async throws {
        let pool = PartPool(partSize: 8, limit: 1)
        let refusal = StorageError(
            .invalidRequest, operation: "write", key: "key", detail: "a part came after one that was not full")
        await #expect(throws: refusal) {
            _ = try await store.withUpload(to: "key", .create, pool: pool) { upload in
                for _ in 0..<2 { try? await upload.append(try await pool.take()) }
            }
        }
        #expect(try await store.info("key") == nil)
        pool.expectAllBack()
    }

    @Test func `the time is the clock's, and each write has a mark of its own`() async throws {
        let first = try await store.put([1], at: "key", .create)
        #expect(first == ObjectInfo(key: "key", byteCount: 1, modified: Timestamp(seconds: 1), etag: "\"memory-1\""))
        #expect(try await store.put([1], at: "key", .replace).etag == "\"memory-2\"")
    }

    @Test func `keys are told apart by their bytes, not as text`() {
        #expect(ObjectKey("ü") != ObjectKey("u\u{308}"))
        #expect(Set([ObjectKey("ü"), ObjectKey("u\u{308}")]).count == 2)
    }
}
