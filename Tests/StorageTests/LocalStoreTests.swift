import Bytes
import Dispatch
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct LocalStoreTests {
    private let directory: TemporaryDirectory
    private let store: LocalStore
    private static let now = Timestamp(seconds: 1_800_000_000)
    /// A temporary name as WAL-G and we make them.
    private static let debris = "object.tmp.20260821T180235Z-0123456789abcdef"

    init() throws {
        directory = try TemporaryDirectory()
        store = LocalStore(root: directory.path + "/", clock: { Self.now })
    }

    @Test func `objects are files for their owner alone, and nothing else is left`() async throws {
        let info = try await store.put([1, 2, 3], at: "basebackups_005/a/object", .create)
        #expect(store.location == "file://\(directory.path)")
        #expect(try directory.tree() == ["basebackups_005/a/object"])
        let file = try #require(try FileSystem.status(directory.file("basebackups_005/a/object")))
        #expect(file.mode == 0o600)
        #expect(try FileSystem.status(directory.file("basebackups_005/a"))?.mode == 0o700)
        #expect(info.modified == file.modified)
        let time = file.modified
        let nanos = String(String(1_000_000_000 + Int(time.nanoseconds)).dropFirst())
        #expect(info.etag == "\(file.device)-\(file.inode)-3-\(time.seconds).\(nanos)")
    }

    @Test(arguments: [
        ("", "an empty key is no file name"),
        ("a\0b", "a file name cannot hold a NUL byte"),
        ("../outside", "the path component .. would lead elsewhere"),
        ("a/../b", "the path component .. would lead elsewhere"),
        ("a/./b", "the path component . would lead elsewhere"),
        ("/a", "an empty path component is no file name (a leading, trailing or double slash)"),
        ("a/", "an empty path component is no file name (a leading, trailing or double slash)"),
        ("a//b", "an empty path component is no file name (a leading, trailing or double slash)"),
        (
            debris + "/x",
            "the name has the form of a temporary file, which listings hide and sweeping removes"
        ),
        (String(repeating: "ä", count: 128), "a file name may have at most 255 bytes"),
    ])
    func `a key that no file can stand for is refused everywhere`(key: String, reason: String) async throws {
        func refusal(_ operation: String) -> StorageError {
            StorageError(.invalidRequest, operation: operation, key: ObjectKey(key), detail: reason)
        }
        await #expect(throws: refusal("write")) { _ = try await store.put([1], at: ObjectKey(key), .replace) }
        await #expect(throws: refusal("read")) { _ = try await store.get(ObjectKey(key), limit: 1) }
        await #expect(throws: refusal("stat")) { _ = try await store.info(ObjectKey(key)) }
        let failures = try await store.delete([ObjectKey(key)])
        #expect(failures == [DeleteFailure(key: ObjectKey(key), error: refusal("delete"))])
        #expect(try directory.tree() == [])
    }

    @Test func `a name of the longest kind is stored`() async throws {
        let key = ObjectKey(String(repeating: "ä", count: 127) + "a")
        _ = try await store.put([1], at: key, .create)
        #expect(try await store.list(prefix: "").objects.map(\.key) == [key])
    }

    @Test func `a missing directory is an error of every operation, never an empty archive`() async throws {
        let gone = LocalStore(root: directory.file("gone"))
        func error(_ operation: String) -> StorageError {
            StorageError(
                .noSuchBucket, operation: operation,
                detail: "the storage directory \(directory.file("gone")) is not there; "
                    + "create it, or mount its file system")
        }
        await #expect(throws: error("write")) { _ = try await gone.put([1], at: "a/b", .create) }
        await #expect(throws: error("read")) { _ = try await gone.get("a/b", limit: 1) }
        await #expect(throws: error("stat")) { _ = try await gone.info("a/b") }
        await #expect(throws: error("list")) { _ = try await gone.list(prefix: "a/") }
        await #expect(throws: error("delete")) { _ = try await gone.delete(["a/b"]) }
        #expect(try directory.tree() == [])
    }

    @Test func `temporary files are hidden, and objects with like names are not`() async throws {
        try directory.write([1], to: Self.debris)
        try directory.write([1], to: "folder/" + Self.debris)
        try directory.write([1], to: "object.tmp.20260821T180235Z-0123456789ABCDEF")
        let listing = try await store.list(prefix: "", recursive: false)
        #expect(listing.objects.map(\.key) == ["object.tmp.20260821T180235Z-0123456789ABCDEF"])
        #expect(listing.folders == [])
    }

    @Test func `the next write into a folder sweeps the debris of dead writers and nothing else`() async throws {
        func place(_ name: String, age: Duration) throws -> FileDescriptor {
            let file = try FileDescriptor(opening: directory.write([1], to: "folder/" + name), O_WRONLY)
            try file.setModified(Self.now.advanced(by: .zero - age))
            return file
        }
        _ = try place(Self.debris, age: .seconds(3600))
        _ = try place("young.tmp.20260821T180235Z-0123456789abcdef", age: .seconds(3599))
        let working = try place("locked.tmp.20260821T180235Z-0123456789abcdef", age: .seconds(7200))
        #expect(try working.tryLock())
        _ = try place("old-object", age: .seconds(7200))
        try directory.write([1], to: Self.debris)

        _ = try await store.put([1], at: "folder/new", .create)
        #expect(
            try directory.tree() == [
                "folder/locked.tmp.20260821T180235Z-0123456789abcdef", "folder/new", "folder/old-object",
                "folder/young.tmp.20260821T180235Z-0123456789abcdef", Self.debris,
            ])
    }

    @Test func `a writer's own temporary file is locked while it writes`() async throws {
        let sweeper = LocalStore(root: directory.path, debrisGrace: .zero)
        let pool = PartPool(partSize: 4096, limit: 2)
        _ = try await sweeper.withUpload(to: "slow", .create, pool: pool) { upload in
            let part = try await pool.take()
            part.append(([1, 2, 3] as [UInt8]).span.bytes)
            try await upload.append(part)
            _ = try await sweeper.put([1], at: "quick", .create)
        }
        #expect(try await sweeper.get("slow", limit: 3).bytes == [1, 2, 3])
        #expect(try directory.tree() == ["quick", "slow"])
    }

    @Test func `an object and a folder of one name are refused, and what is there stays`() async throws {
        _ = try await store.put([1], at: "a", .create)
        _ = try await store.put([2], at: "b/c", .create)
        let below = StorageError(
            .invalidRequest, operation: "write", key: "a/x",
            detail: "\(directory.file("a")) is an object; "
                + "a local directory cannot hold both an object and a folder of one name")
        await #expect(throws: below) { _ = try await store.put([3], at: "a/x", .replace) }
        for options in [PutOptions.replace, .create] {
            let above = StorageError(
                .invalidRequest, operation: "write", key: "b",
                detail: "\(directory.file("b")) is a folder; "
                    + "a local directory cannot hold both an object and a folder of one name")
            await #expect(throws: above) { _ = try await store.put([3], at: "b", options) }
        }
        #expect(try directory.tree() == ["a", "b/c"])
    }

    @Test func `removing the last object of a folder removes the folder, but never the root`() async throws {
        _ = try await store.put([1], at: "a/b/c/object", .create)
        _ = try await store.put([1], at: "a/other", .create)
        _ = try FileDescriptor(opening: directory.write([1], to: "a/b/c/" + Self.debris), O_WRONLY)
            .setModified(Timestamp(seconds: 0))
        #expect(try await store.delete(["a/b/c/object"]) == [])
        #expect(try directory.tree() == ["a/other"])
        #expect(try await store.delete(["a/other"]) == [])
        #expect(try directory.tree() == [])
        #expect(try await store.delete(["a"]) == [])
    }

    @Test func `writers and removers of one folder do not trip each other`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                let store = store
                group.addTask {
                    for round in 0..<50 {
                        let key = ObjectKey("deep/er/folder/\(worker)")
                        _ = try await store.put([UInt8(round)], at: key, .create)
                        #expect(try await store.delete([key]) == [])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try directory.tree() == [])
    }

    @Test func `a part after one that was not full is refused, and the upload is lost`() async throws {
        let pool = PartPool(partSize: 8, limit: 2)
        let refusal = StorageError(
            .invalidRequest, operation: "write", key: "key", detail: "a part came after one that was not full")
        await #expect(throws: refusal) {
            _ = try await store.withUpload(to: "key", .create, pool: pool) { upload in
                for _ in 0..<3 {
                    let part = try await pool.take()
                    part.append(([1] as [UInt8]).span.bytes)
                    try? await upload.append(part)
                }
            }
        }
        #expect(try directory.tree() == [])
        pool.expectAllBack()
    }

    @Test func `a reader keeps the object it opened when it is replaced`() async throws {
        _ = try await store.put([UInt8](repeating: 1, count: 30), at: "key", .create)
        let pool = PartPool(partSize: 10, limit: 1)
        var read: [UInt8] = []
        try await store.download("key", pool: pool, ahead: 1) { part in
            part.withUnsafeBytes { read.append(contentsOf: $0) }
            pool.give(part)
            _ = try await store.put([2], at: "key", .replace)
        }
        #expect(read == [UInt8](repeating: 1, count: 30))
    }

    @Test func `a file that is cut while it is read is corrupted`() async throws {
        _ = try await store.put([UInt8](repeating: 1, count: 30), at: "key", .create)
        let pool = PartPool(partSize: 10, limit: 1)
        let path = directory.file("key")
        await #expect(
            throws: StorageError(
                .corrupted, operation: "read", key: "key",
                detail: "\(path) ends at byte 15; it had 30 bytes when it was opened")
        ) {
            try await store.download("key", pool: pool, ahead: 1) { part in
                pool.give(part)
                try FileDescriptor(opening: path, O_WRONLY).truncate(to: 15)
            }
        }
        pool.expectAllBack()
    }

    @Test func `a file that is changed while it is read is an error`() async throws {
        _ = try await store.put([UInt8](repeating: 1, count: 30), at: "key", .create)
        let pool = PartPool(partSize: 10, limit: 1)
        let path = directory.file("key")
        let kind = await failureKind {
            try await store.download("key", pool: pool, ahead: 1) { part in
                pool.give(part)
                let file = try FileDescriptor(opening: path, O_WRONLY)
                try file.write(([9] as [UInt8]).span.bytes, at: 29)
                try file.setModified(Timestamp(seconds: 1))
            }
        }
        #expect(kind == .preconditionFailed)
    }

    @Test func `linked folders are followed, and what mkfs made is passed over`() async throws {
        let elsewhere = try TemporaryDirectory()
        try elsewhere.write([1], to: "object")
        try FileSystem.symbolicLink(to: elsewhere.path, at: directory.file("linked"))
        try FileSystem.symbolicLink(to: "nowhere", at: directory.file("dangling"))
        try directory.write([1], to: "lost+found/inode")
        #expect(try await store.list(prefix: "").objects.map(\.key) == ["linked/object"])
        #expect(try await store.get("linked/object", limit: 1).bytes == [1])
    }

    /// As many writes as wait for each other here could never run at once on the cooperative pool's threads.
    @Test func `disk work holds no thread of the cooperative pool`() async throws {
        let count = sysconf(CInt(_SC_NPROCESSORS_ONLN)) + 2
        let everyone = DispatchSemaphore(value: 0)
        let arrived = Locked(0)
        let store = LocalStore(
            root: directory.path, threads: count,
            clock: {
                let number = arrived.withLock { arrived in
                    arrived += 1
                    return arrived
                }
                if number == count { for _ in 1..<count { everyone.signal() } }
                if number < count { everyone.wait() }
                return Timestamp.now()
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask { _ = try await store.put([1], at: ObjectKey("\(index)"), .create) }
            }
            try await group.waitForAll()
        }
        #expect(try directory.tree().count == count)
    }
}
