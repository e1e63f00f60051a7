import Bytes
import Digests
import TestSupport
import Testing

@testable import Storage

/// What the S3 client does when servers and networks misbehave; time passes only as the client asks for it.
@Suite(.timeLimit(.minutes(1))) struct S3FaultTests {
    private typealias Answer = TestSupport.HTTPResponse

    private static let start = Timestamp(seconds: 1_787_335_355)

    /// Delays that were asked for; they are also how far time has come.
    private final class Time: Sendable {
        let delays = Locked([Duration]())
        var elapsed: Duration { delays.withLock { $0.reduce(.zero, +) } }

        var clock: RetryClock {
            RetryClock(
                now: { S3FaultTests.start.advanced(by: self.elapsed) }, elapsed: { self.elapsed },
                sleep: { delay in self.delays.withLock { $0.append(delay) } }, random: { 0.5 })
        }
    }

    private func store(
        _ server: FaultServer, _ time: Time = Time(), _ change: (inout S3Configuration) -> Void = { _ in }
    ) throws -> S3Store {
        var configuration = S3Configuration(
            bucket: "b", prefix: "p", endpoint: try S3Endpoint(parsing: server.endpoint), pathStyle: true,
            credentials: StaticCredentials(accessKey: "AKID", secretKey: Secret("hush")))
        configuration.retry = RetryPolicy(maximumAttempts: 4, budget: .seconds(60))
        change(&configuration)
        return S3Store(configuration, log: .silent, clock: time.clock)
    }

    private let content = Array("content".utf8)
    private var md5: String { "\"\(Hex.encode(MessageDigest.md5(content.span.bytes)))\"" }

    private static func stored(_ etag: String) -> Answer {
        Answer(200, headers: [HTTPHeader("ETag", etag), HTTPHeader("Date", "Fri, 21 Aug 2026 18:02:35 GMT")])
    }

    private static func head(_ etag: String, _ count: Int) -> Answer {
        Answer(200, headers: [HTTPHeader("ETag", etag), HTTPHeader("Content-Length", "\(count)")])
    }

    private static func document(_ text: String) -> Answer { Answer(200, body: Array(text.utf8)) }

    // MARK: Attempts

    @Test(arguments: [
        ("500", FaultReply.answer(.s3Error(500, code: "InternalError"))),
        ("503", .answer(.s3Error(503, code: "SlowDown"))), ("429", .answer(Answer(429))),
        ("conflict", .answer(.s3Error(409, code: "ConditionalRequestConflict"))),
        ("reset", .nothing(.reset)), ("closed", .nothing(.close)),
    ])
    func `a passing fault is tried again with a fresh signature`(name: String, fault: FaultReply) async throws {
        let server = try FaultServer(replies: [fault, fault, .answer(Self.stored("\"1\""))])
        let time = Time()
        let info = try await store(server, time) { $0.retry.baseDelay = .seconds(2) }.put(content, at: "k", .replace)
        #expect(info == ObjectInfo(key: "k", byteCount: 7, modified: Self.start, etag: "\"1\""))
        let requests = server.requests
        #expect(requests.map(\.target) == ["/b/p/k", "/b/p/k", "/b/p/k"])
        #expect(requests.allSatisfy { $0.body == content })
        #expect(Set(requests.map { $0.header("Authorization") }).count == 3)
        #expect(time.delays.withLock { $0 } == [.seconds(1), .seconds(2)])
    }

    @Test func `attempts end and the error tells all`() async throws {
        let server = try FaultServer { _ in .answer(.s3Error(503, code: "SlowDown", message: "Slow down, please")) }
        let error = await #expect(throws: StorageError.self) {
            try await store(server).put(content, at: "k", .replace)
        }
        #expect(
            error
                == StorageError(
                    .throttled, operation: "PUT", key: "k", status: 503, serverCode: "SlowDown", requestID: "fault-1",
                    attempts: 4, detail: "Slow down, please"))
        #expect(server.requestCount == 4)
    }

    @Test func `a refusal is not tried again and no secret is repeated`() async throws {
        let server = try FaultServer { _ in
            .answer(.s3Error(403, code: "AccessDenied", message: "hush of AKID is not allowed"))
        }
        let error = await #expect(throws: StorageError.self) { try await store(server).get("k", limit: 1) }
        #expect(
            error
                == StorageError(
                    .permissionDenied, operation: "GET", key: "k", status: 403, serverCode: "AccessDenied",
                    requestID: "fault-1", detail: "******** of ******** is not allowed"))
        #expect(server.requestCount == 1)
    }

    @Test func `a refused connection says where`() async throws {
        let server = try FaultServer { _ in .forward }
        let endpoint = server.endpoint
        let store = try store(server)
        server.stop()
        let error = await #expect(throws: StorageError.self) { try await store.get("k", limit: 1) }
        #expect(error?.kind == .unavailable && error?.attempts == 4 && error?.status == nil)
        #expect(error?.detail.hasPrefix("no answer from \(endpoint): ") ?? false)
    }

    @Test func `a server that never answers meets the deadline`() async throws {
        let server = try FaultServer { _ in .nothing(.hang) }
        let store = try store(server) {
            $0.deadlines.base = .milliseconds(100)
            $0.deadlines.slowestRate = 1 << 40
            $0.retry.maximumAttempts = 2
        }
        let error = await #expect(throws: StorageError.self) { try await store.put(content, at: "k", .replace) }
        #expect(error?.kind == .unavailable && error?.attempts == 2)
        #expect(error?.detail.contains("timed out") ?? false)
    }

    @Test func `the server's wish to wait is followed while it fits the budget`() async throws {
        let slow = FaultReply.answer(.s3Error(503, code: "SlowDown", headers: [HTTPHeader("Retry-After", "7")]))
        let time = Time()
        let server = try FaultServer(replies: [slow, .answer(Self.stored("\"1\""))])
        _ = try await store(server, time).put(content, at: "k", .replace)
        #expect(time.elapsed == .seconds(7))
        let slower = FaultReply.answer(.s3Error(503, code: "SlowDown", headers: [HTTPHeader("Retry-After", "61")]))
        let other = try FaultServer(replies: [slower])
        let error = await #expect(throws: StorageError.self) { try await store(other).put(content, at: "k", .replace) }
        #expect(error?.kind == .throttled && error?.attempts == 1)
    }

    @Test func `a 404 that is not S3's proves nothing`() async throws {
        let server = try FaultServer { _ in .answer(Answer(404, body: Array("<html>not here</html>".utf8))) }
        let error = await #expect(throws: StorageError.self) { try await store(server).get("k", limit: 1) }
        #expect(error?.kind == .unavailable && error?.status == 404)
    }

    @Test func `one connection serves requests in sequence`() async throws {
        let server = try FaultServer { _ in .answer(Self.stored("\"1\"")) }
        let store = try store(server)
        for _ in 0..<3 { _ = try await store.put(content, at: "k", .create) }
        #expect(server.connectionCount == 1)
    }

    // MARK: Credentials and clocks

    private struct Renewing: CredentialsProvider {
        func credentials(replacing refused: Credentials?) async throws(StorageError) -> Credentials {
            Credentials(
                accessKey: refused == nil ? "OLD" : "NEW", secretKey: Secret("hush"), sessionToken: Secret("token/+=1"))
        }
    }

    @Test func `expired credentials are renewed once`() async throws {
        let expired = FaultReply.answer(.s3Error(400, code: "ExpiredToken", message: "token/+=1 expired"))
        let server = try FaultServer(replies: [expired, .answer(Self.stored("\"1\""))])
        _ = try await store(server) { $0.credentials = Renewing() }.put(content, at: "k", .replace)
        #expect(server.requests.map { $0.header("Authorization")?.contains("Credential=OLD/") } == [true, false])
        #expect(server.requests.map { $0.header("x-amz-security-token") } == ["token/+=1", "token/+=1"])

        let never = try FaultServer { _ in expired }
        let error = await #expect(throws: StorageError.self) {
            try await store(never) { $0.credentials = Renewing() }.put(content, at: "k", .replace)
        }
        #expect(error?.kind == .permissionDenied && error?.attempts == 2)
        #expect(error?.detail == "******** expired; the session has ended, get new credentials")
        let fixed = try FaultServer { _ in expired }
        await #expect(throws: StorageError.self) { try await store(fixed).put(content, at: "k", .replace) }
        #expect(fixed.requestCount == 1)
    }

    @Test func `a wrong clock is corrected once by the server's`() async throws {
        let skewed = FaultReply.answer(
            .s3Error(
                403, code: "RequestTimeTooSkewed", headers: [HTTPHeader("Date", "Fri, 21 Aug 2026 19:00:00 GMT")]))
        let server = try FaultServer(replies: [skewed, .answer(Self.stored("\"1\"")), .answer(Self.stored("\"1\""))])
        let time = Time()
        let store = try store(server, time) { $0.retry.baseDelay = .seconds(2) }
        _ = try await store.put(content, at: "k", .replace)
        _ = try await store.put(content, at: "k", .replace)
        #expect(
            server.requests.map { $0.header("x-amz-date") } == [
                "20260821T180235Z", "20260821T190001Z", "20260821T190001Z",
            ])
        let never = try FaultServer { _ in skewed }
        let error = await #expect(throws: StorageError.self) {
            try await self.store(never).put(content, at: "k", .replace)
        }
        #expect(error?.kind == .permissionDenied && error?.attempts == 2)
    }

    // MARK: Conditional writes

    @Test func `an object in the way is refused without a further question`() async throws {
        let server = try FaultServer(replies: [.answer(.s3Error(412, code: "PreconditionFailed"))])
        let error = await #expect(throws: StorageError.self) { try await store(server).put(content, at: "k", .create) }
        #expect(error?.kind == .alreadyExists && error?.status == 412)
        #expect(server.requests.map { $0.header("If-None-Match") } == ["*"])
    }

    @Test(arguments: [FaultReply.answer(Answer(200)).lost(.reset), .answer(.s3Error(500, code: "InternalError"))])
    func `a write whose answer was lost is found again`(lost: FaultReply) async throws {
        let refused = FaultReply.answer(.s3Error(412, code: "PreconditionFailed"))
        let ours = try FaultServer(replies: [lost, refused, .answer(Self.head(md5, 7))])
        let info = try await store(ours).put(content, at: "k", .create)
        #expect(info.etag == md5 && info.byteCount == 7)
        #expect(ours.requests.map(\.method) == ["PUT", "PUT", "HEAD"])

        let other = try FaultServer(replies: [lost, refused, .answer(Self.head("\"other\"", 8))])
        let error = await #expect(throws: StorageError.self) { try await store(other).put(content, at: "k", .create) }
        #expect(error?.kind == .alreadyExists)
    }

    @Test(arguments: [true, false])
    func `where the entity tag shows nothing the bytes do`(isOurs: Bool) async throws {
        let body = isOurs ? content : Array("CONTENT".utf8)
        let server = try FaultServer(replies: [
            .nothing(.reset), .answer(.s3Error(412, code: "PreconditionFailed")), .answer(Self.head("\"x\"", 7)),
            .answer(Answer(200, headers: [HTTPHeader("ETag", "\"x\"")], body: body)),
        ])
        let result = await Result { try await store(server).put(content, at: "k", .create) }
        switch result {
        case .success(let info): #expect(isOurs && info.etag == "\"x\"")
        case .failure(let error): #expect(!isOurs && (error as? StorageError)?.kind == .alreadyExists)
        }
        #expect(server.requests.map(\.method) == ["PUT", "PUT", "HEAD", "GET"])
    }

    @Test func `a write that libcurl repeated by itself is found again`() async throws {
        let server = try FaultServer(replies: [
            .answer(Self.stored("\"0\"")), .nothing(.close), .answer(.s3Error(412, code: "PreconditionFailed")),
            .answer(Self.head(md5, 7)),
        ])
        let store = try store(server) { $0.retry = .none }
        _ = try await store.put(content, at: "first", .replace)
        // Sent on the connection of the first request, which ends without an answer.
        let info = try await store.put(content, at: "k", .create)
        #expect(info.etag == md5)
        #expect(server.requests.map(\.method) == ["PUT", "PUT", "PUT", "HEAD"])
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
