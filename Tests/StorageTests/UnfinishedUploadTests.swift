import Bytes
import TestSupport
import Testing

@testable import Storage

/// Multipart uploads that nobody will complete.
@Suite(.timeLimit(.minutes(1))) struct UnfinishedUploadTests {
    private static func begin(_ key: ObjectKey, _ store: S3Store) async throws {
        var request = store.request("begin upload", key, method: "POST")
        request.query = [("uploads", "")]
        request.root = "InitiateMultipartUploadResult"
        _ = try await store.send(request)
    }

    @Test(.enabled(if: S3Server.isThere, "WALS_TEST_S3_ENDPOINT is not set"))
    func `a server's uploads are listed below a prefix, and ended`() async throws {
        let store = try await S3Server.store("unfinished")
        let keys: [ObjectKey] = ["a/1", "a/1", "a/1+ü &", "a/12", "b/1"]
        for key in keys { try await Self.begin(key, store) }
        let all = try await store.unfinishedUploads(prefix: "")
        #expect(all.map(\.key).sorted() == keys.sorted())
        #expect(Set(all.map(\.uploadID)).count == keys.count)
        let now = Timestamp.now()
        #expect(all.allSatisfy { abs($0.begun.duration(to: now).components.seconds) < 3600 })
        let folder = PrefixedStore(store, prefix: "a")
        #expect(try await folder.unfinishedUploads(prefix: "").map(\.key).sorted() == ["1", "1", "1+ü &", "12"])
        _ = try await store.put([1], at: "a/1", .create)
        #expect(try await folder.abandonUploads(prefix: "1") { $0 == "1" } == 2)
        #expect(try await store.unfinishedUploads(prefix: "").map(\.key).sorted() == ["a/1+ü &", "a/12", "b/1"])
        #expect(try await store.abandonUploads(prefix: "a/") == 2)
        #expect(try await store.abandonUploads(prefix: "a/") == 0)
        for upload in all { try await store.abandon(upload) }
        #expect(try await store.unfinishedUploads(prefix: "") == [])
        #expect(try await store.get("a/1", limit: 1).bytes == [1])
    }

    // MARK: Answers that servers may give

    private static let head = "<?xml version=\"1.0\"?><ListMultipartUploadsResult><EncodingType>url</EncodingType>"
    private static let tail = "</ListMultipartUploadsResult>"

    private static func upload(_ key: String, _ uploadID: String) -> String {
        "<Upload><Key>\(key)</Key><UploadId>\(uploadID)</UploadId><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>"
    }

    private static func more(_ key: String, _ uploadID: String) -> String {
        "<IsTruncated>true</IsTruncated><NextKeyMarker>\(key)</NextKeyMarker>"
            + "<NextUploadIdMarker>\(uploadID)</NextUploadIdMarker>"
    }

    private static let end = "<IsTruncated>false</IsTruncated>"

    private static func store(_ server: FaultServer) throws -> S3Store {
        var configuration = S3Configuration(
            bucket: "bucket", prefix: "p", endpoint: try S3Endpoint(parsing: server.endpoint), pathStyle: true,
            credentials: StaticCredentials(accessKey: "access", secretKey: Secret("secret")))
        configuration.retry = RetryPolicy(maximumAttempts: 1, budget: .seconds(5))
        return S3Store(configuration, log: .silent)
    }

    private static func pages(_ bodies: [String]) throws -> FaultServer {
        try FaultServer { request in
            let body = bodies[min(request.number, bodies.count) - 1]
            return .answer(TestSupport.HTTPResponse(200, body: Array((head + body + tail).utf8)))
        }
    }

    @Test func `pages are followed by both markers, and other keys left out`() async throws {
        let server = try Self.pages([
            Self.upload("p/a%2B1", "u 1") + Self.more("p/a%2B1", "u 1"),
            Self.upload("p/a%2B1", "u2") + Self.upload("p/b", "u3") + Self.upload("q/a", "u4") + Self.end,
        ])
        let uploads = try await Self.store(server).unfinishedUploads(prefix: "a")
        let begun = try #require(Timestamp(rfc3339: "2026-01-02T03:04:05Z"))
        #expect(
            uploads == [
                UnfinishedUpload(key: "a+1", uploadID: "u 1", begun: begun),
                UnfinishedUpload(key: "a+1", uploadID: "u2", begun: begun),
            ])
        let queries = server.requests.map(\.query)
        #expect(queries.count == 2)
        #expect(queries[0].contains("prefix=p%2Fa") && !queries[0].contains("marker"))
        #expect(queries[1].contains("key-marker=p%2Fa%2B1") && queries[1].contains("upload-id-marker=u%201"))
    }

    @Test(arguments: [
        "<IsTruncated>true</IsTruncated>", upload("p/a", "u"), upload("p/a", "") + end,
        "<Upload><Key>p/a</Key><UploadId>u</UploadId></Upload>" + end, more("p/a", "u"),
        "<Upload><UploadId>u</UploadId></Upload>" + end,
    ])
    func `a listing that is not whole or cannot be read is an error`(body: String) async throws {
        let server = try Self.pages([body])
        let error = await #expect(throws: StorageError.self) {
            _ = try await Self.store(server).unfinishedUploads(prefix: "a")
        }
        #expect(error?.kind == .unavailable && error?.operation == "list uploads")
    }

    @Test func `an upload that is gone is as good as ended, one that may not be ended is told`() async throws {
        let upload = UnfinishedUpload(key: "a", uploadID: "u", begun: Timestamp(seconds: 0))
        let gone = try FaultServer { _ in .answer(.s3Error(404, code: "NoSuchUpload")) }
        try await Self.store(gone).abandon(upload)
        #expect(gone.requests.map { "\($0.method) \($0.target)" } == ["DELETE /bucket/p/a?uploadId=u"])
        let refused = try FaultServer { _ in .answer(.s3Error(403, code: "AccessDenied")) }
        let error = await #expect(throws: StorageError.self) { try await Self.store(refused).abandon(upload) }
        #expect(error?.kind == .permissionDenied && error?.key == "a")
    }

    @Test func `stores without multipart uploads have none`() async throws {
        let store = MemoryStore()
        #expect(try await store.unfinishedUploads(prefix: "") == [])
        #expect(try await store.abandonUploads(prefix: "") == 0)
        try await store.abandon(UnfinishedUpload(key: "a", uploadID: "u", begun: Timestamp(seconds: 0)))
    }
}
