import Bytes
import Foundation
import Testing

@testable import Storage

/// The S3 server that `WALS_TEST_S3_ENDPOINT` and its companions name.
enum S3Server {
    static let isThere = variable("WALS_TEST_S3_ENDPOINT") != nil

    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    static func configuration(prefix: String) throws -> S3Configuration {
        var configuration = S3Configuration(
            bucket: variable("WALS_TEST_S3_BUCKET") ?? "wals-test", prefix: prefix,
            endpoint: try S3Endpoint(parsing: variable("WALS_TEST_S3_ENDPOINT") ?? ""), pathStyle: true,
            credentials: StaticCredentials(
                accessKey: variable("WALS_TEST_S3_ACCESS_KEY") ?? "",
                secretKey: Secret(variable("WALS_TEST_S3_SECRET_KEY") ?? "")))
        configuration.retry.budget = .seconds(20)
        return configuration
    }

    /// A store on a prefix of its own.
    static func store(
        _ name: String, _ change: (inout S3Configuration) -> Void = { _ in }
    ) async throws -> S3Store {
        var configuration = try configuration(prefix: "\(name)-\(UInt64.random(in: 0...UInt64.max))")
        change(&configuration)
        let store = S3Store(configuration, log: .silent)
        try await store.createBucket()
        return store
    }
}

@Suite(.enabled(if: S3Server.isThere, "WALS_TEST_S3_ENDPOINT is not set"), .timeLimit(.minutes(2)))
struct S3ServerTests {
    private func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        // Blocks that differ in their first bytes: quick to make in a debug build, and none can stand for another.
        var block = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ Int(seed)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count {
            withUnsafeBytes(of: UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15 ^ seed) {
                block.replaceSubrange(0..<8, with: $0)
            }
            bytes += block
        }
        return Array(bytes.prefix(count))
    }

    private func part(_ bytes: ArraySlice<UInt8>, _ pool: PartPool) async throws -> Part {
        let part = try await pool.take()
        bytes.withUnsafeBytes { _ = part.append($0.bytes) }
        return part
    }

    private func upload(
        _ content: [UInt8], to key: ObjectKey, _ store: S3Store, _ pool: PartPool, _ options: PutOptions = .replace
    ) async throws -> ObjectInfo {
        try await store.withUpload(to: key, options, pool: pool) { upload in
            var start = 0
            while start < content.count {
                let end = min(start + pool.partSize, content.count)
                try await upload.append(part(content[start..<end], pool))
                start = end
            }
        }.info
    }

    private func download(_ key: ObjectKey, _ store: S3Store, _ pool: PartPool, ahead: Int = 2) async throws -> [UInt8]
    {
        var content: [UInt8] = []
        try await store.download(key, pool: pool, ahead: ahead) { part in
            part.withUnsafeBytes { content += $0 }
            pool.give(part)
        }
        return content
    }

    @Test func `an object is stored, read, described and removed`() async throws {
        let store = try await S3Server.store("basic")
        let content = bytes(100_000)
        let put = try await store.put(content, at: "a/b", .replace)
        let (read, info) = try await store.get("a/b", limit: 200_000)
        #expect(read == content)
        #expect(info.byteCount == content.count && info.etag == put.etag && put.byteCount == content.count)
        #expect(try await store.info("a/b") == info)
        #expect(info.modified.nanoseconds == 0 && info.modified >= Timestamp(seconds: put.modified.seconds - 2))
        #expect(try await store.delete(["a/b"]) == [])
        #expect(try await store.info("a/b") == nil)
        let error = await #expect(throws: StorageError.self) { try await store.get("a/b", limit: 10) }
        #expect(error?.kind == .notFound)
        #expect(error?.serverCode == "NoSuchKey")
        #expect(error?.requestID != nil)
    }

    @Test func `an object longer than the limit is refused`() async throws {
        let store = try await S3Server.store("limit")
        _ = try await store.put(bytes(1000), at: "a", .replace)
        let error = await #expect(throws: StorageError.self) { try await store.get("a", limit: 999) }
        #expect(error?.kind == .invalidRequest)
    }

    @Test(arguments: [true, false])
    func `a write that must not overwrite does not`(isConditional: Bool) async throws {
        let store = try await S3Server.store("create") { $0.compatibility.conditionalPut = isConditional }
        _ = try await store.put(bytes(10), at: "a", .create)
        for content in [bytes(10), bytes(10, seed: 2), []] {
            let error = await #expect(throws: StorageError.self) { try await store.put(content, at: "a", .create) }
            #expect(error?.kind == .alreadyExists)
        }
        #expect(try await store.get("a", limit: 10).bytes == bytes(10))
    }

    @Test(arguments: [
        "a b", "a+b", "ü/€/𝄞", "a//b", "./..", "a%20b", "a&b=c?d#e", "tab\there", "~-_.!*'()", "quote\"<>&'", "\u{1}",
    ])
    func `keys of any characters are stored, listed and removed`(name: String) async throws {
        let store = try await S3Server.store("keys")
        let key = ObjectKey(name)
        _ = try await store.put(bytes(3), at: key, .replace)
        _ = try await store.put(bytes(3), at: "zz", .replace)
        #expect(try await store.get(key, limit: 3).bytes == bytes(3))
        #expect(try await store.list(prefix: "").objects.map(\.key) == [key, "zz"].sorted())
        #expect(try await store.delete([key, "zz"]) == [])
        #expect(try await store.list(prefix: "").objects == [])
    }

    @Test func `listings page, fold, start after and stop`() async throws {
        let store = try await S3Server.store("list")
        for name in ["a/1", "a/2", "b", "c/1", "d"] { _ = try await store.put(bytes(1), at: ObjectKey(name), .replace) }
        let flat = try await store.list(prefix: "", recursive: false)
        #expect(flat.objects.map(\.key) == ["b", "d"] && flat.folders == ["a/", "c/"] && !flat.isTruncated)
        let after = try await store.list(prefix: "", recursive: true, startAfter: "a/2", limit: 2)
        #expect(after.objects.map(\.key) == ["b", "c/1"] && after.isTruncated)
        let part = try await store.list(prefix: "a", recursive: true, startAfter: nil, limit: 2)
        #expect(part.objects.map(\.key) == ["a/1", "a/2"] && !part.isTruncated)
    }

    @Test func `more than a thousand keys are listed and removed in batches`() async throws {
        let store = try await S3Server.store("many")
        let keys = (0..<1005).map { ObjectKey("k\(10_000 + $0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in 0..<8 {
                group.addTask {
                    for index in stride(from: start, to: keys.count, by: 8) {
                        _ = try await store.put([UInt8](), at: keys[index], .replace)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.list(prefix: "k").objects.map(\.key) == keys)
        #expect(try await store.delete(keys + ["absent"]) == [])
        #expect(try await store.list(prefix: "").objects == [])
    }

    @Test(arguments: [0, 1, 5 << 20, (5 << 20) + 1, (15 << 20) + 77])
    func `a stream of parts is stored and read back`(byteCount: Int) async throws {
        let store = try await S3Server.store("upload")
        let pool = PartPool(partSize: 5 << 20, limit: 5)
        let content = bytes(byteCount)
        let info = try await upload(content, to: "a", store, pool)
        #expect(info.byteCount == byteCount)
        #expect(try await store.info("a")?.etag == info.etag)
        #expect(try await download("a", store, pool) == content)
        #expect(try await download("a", store, PartPool(partSize: 1 << 20, limit: 1), ahead: 4) == content)
        #expect((0..<5).allSatisfy { _ in pool.tryTake() != nil }, "parts are missing from the pool")
    }

    @Test func `an upload that must not overwrite does not`() async throws {
        let store = try await S3Server.store("create-upload") { $0.compatibility.conditionalComplete = false }
        let pool = PartPool(partSize: 5 << 20, limit: 4)
        _ = try await upload(bytes(6 << 20), to: "a", store, pool, .create)
        let error = await #expect(throws: StorageError.self) {
            try await upload(bytes(6 << 20, seed: 2), to: "a", store, pool, .create)
        }
        #expect(error?.kind == .alreadyExists)
        #expect(try await download("a", store, pool) == bytes(6 << 20))
    }

    @Test func `an upload that fails leaves nothing`() async throws {
        struct Stop: Error {}
        let store = try await S3Server.store("abort")
        let pool = PartPool(partSize: 5 << 20, limit: 4)
        await #expect(throws: Stop.self) {
            try await store.withUpload(to: "a", .replace, pool: pool) { upload in
                for _ in 0..<3 { try await upload.append(part(bytes(5 << 20)[...], pool)) }
                throw Stop()
            }
        }
        #expect(try await store.info("a") == nil)
        #expect(try await store.uploads() == [])
        #expect((0..<4).allSatisfy { _ in pool.tryTake() != nil })
    }

    @Test func `an upload whose task is cancelled leaves nothing`() async throws {
        let store = try await S3Server.store("cancel")
        let pool = PartPool(partSize: 5 << 20, limit: 4)
        let task = Task {
            try await store.withUpload(to: "a", .replace, pool: pool) { upload in
                for _ in 0..<3 { try await upload.append(part(bytes(5 << 20)[...], pool)) }
                withUnsafeCurrentTask { $0?.cancel() }
                try await upload.append(part(bytes(5 << 20)[...], pool))
                try Task.checkCancellation()
            }
        }
        await #expect(throws: (any Error).self) { try await task.value }
        #expect(try await store.info("a") == nil)
        #expect(try await store.uploads() == [])
        #expect((0..<4).allSatisfy { _ in pool.tryTake() != nil })
    }

    @Test func `an object that changes while it is read is an error`() async throws {
        let store = try await S3Server.store("change")
        let pool = PartPool(partSize: 1 << 20, limit: 2)
        _ = try await store.put(bytes(3 << 20), at: "a", .replace)
        var received = 0
        let error = await #expect(throws: StorageError.self) {
            try await store.download("a", pool: pool, ahead: 1) { part in
                pool.give(part)
                received += 1
                if received == 1 { _ = try await store.put(bytes(3 << 20, seed: 2), at: "a", .replace) }
            }
        }
        #expect(error?.kind == .preconditionFailed)
        #expect((0..<2).allSatisfy { _ in pool.tryTake() != nil })
    }

    @Test func `a wrong secret is refused without naming it`() async throws {
        let store = try await S3Server.store("secret")
        var configuration = store.configuration
        configuration.credentials = StaticCredentials(
            accessKey: S3Server.variable("WALS_TEST_S3_ACCESS_KEY") ?? "", secretKey: Secret("wrong+secret"))
        let error = await #expect(throws: StorageError.self) {
            try await S3Store(configuration, log: .silent).get("a", limit: 1)
        }
        #expect(error?.kind == .permissionDenied && error?.status == 403 && error?.attempts == 1)
        #expect(error.map { !"\($0)".contains("wrong+secret") } ?? false)
    }

    @Test(.enabled(if: S3Server.variable("WALS_TEST_S3_VHOST_ENDPOINT") != nil, "no virtual-host endpoint is set"))
    func `the bucket may be in the host's name`() async throws {
        let store = try await S3Server.store("virtual") {
            $0.pathStyle = false
            $0.endpoint = try? S3Endpoint(parsing: S3Server.variable("WALS_TEST_S3_VHOST_ENDPOINT") ?? "")
        }
        _ = try await store.put(bytes(10), at: "a b+ü", .create)
        #expect(try await store.list(prefix: "").objects.map(\.key) == ["a b+ü"])
        #expect(try await store.delete(["a b+ü", "b"]) == [])
    }

    @Test(.enabled(if: S3Server.variable("WALS_TEST_S3_TLS_ENDPOINT") != nil, "no TLS endpoint is set"))
    func `a certificate must be trusted`() async throws {
        let endpoint = try S3Endpoint(parsing: S3Server.variable("WALS_TEST_S3_TLS_ENDPOINT") ?? "")
        let store = try await S3Server.store("tls") {
            $0.endpoint = endpoint
            $0.certificates = S3Server.variable("WALS_TEST_S3_CA_FILE")
        }
        _ = try await store.put(bytes(1 << 20), at: "a", .replace)
        #expect(try await store.get("a", limit: 1 << 20).bytes == bytes(1 << 20))
        for certificates in [nil, "/nonexistent"] {
            var configuration = store.configuration
            configuration.certificates = certificates
            let error = await #expect(throws: StorageError.self) {
                try await S3Store(configuration, log: .silent).get("a", limit: 1 << 20)
            }
            #expect(error?.kind == .invalidRequest && error?.attempts == 1)
            #expect(error?.detail.hasPrefix("\(endpoint): ") ?? false)
        }
    }

    @Test(.enabled(if: S3Server.variable("WALS_TEST_S3_TLS_ENDPOINT") != nil, "no TLS endpoint is set"))
    func `a key of ours encrypts and is needed to read`() async throws {
        let endpoint = try S3Endpoint(parsing: S3Server.variable("WALS_TEST_S3_TLS_ENDPOINT") ?? "")
        let store = try await S3Server.store("customer") {
            $0.endpoint = endpoint
            $0.certificates = S3Server.variable("WALS_TEST_S3_CA_FILE")
            $0.encryption = .customer(key: Secret("0123456789abcdef0123456789abcdef"))
        }
        let pool = PartPool(partSize: 5 << 20, limit: 4)
        _ = try await store.put(bytes(1000), at: "a", .create)
        #expect(try await store.get("a", limit: 1000).bytes == bytes(1000))
        let info = try await upload(bytes(6 << 20), to: "b", store, pool, .create)
        #expect(try await store.info("b") == info || info.byteCount == 6 << 20)
        #expect(try await download("b", store, pool) == bytes(6 << 20))
        var configuration = store.configuration
        configuration.encryption = .none
        await #expect(throws: StorageError.self) {
            try await S3Store(configuration, log: .silent).get("a", limit: 1000)
        }
    }

    @Test func `a missing bucket is not a missing object`() async throws {
        var configuration = try S3Server.configuration(prefix: "")
        configuration.bucket = "wals-no-such-bucket"
        let store = S3Store(configuration, log: .silent)
        for call in [{ _ = try await store.get("a", limit: 1) }, { _ = try await store.list(prefix: "") }] {
            let error = await #expect(throws: StorageError.self) { try await call() }
            #expect(error?.kind == .noSuchBucket)
        }
    }
}

extension S3Store {
    /// Upload ids that the server still keeps below the store's prefix.
    func uploads() async throws -> [String] {
        var request = S3Request("list uploads", "", method: "GET", object: nil)
        request.query = [("uploads", ""), ("prefix", prefix)]
        request.root = "ListMultipartUploadsResult"
        return try await send(request).document?.children("Upload").compactMap { $0["UploadId"] } ?? []
    }
}
