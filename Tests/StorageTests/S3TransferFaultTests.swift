import Bytes
import Digests
import TestSupport
import Testing

@testable import Storage

/// Downloads and multipart uploads that break on the way.
@Suite(.timeLimit(.minutes(1))) struct S3TransferFaultTests {
    private typealias Answer = TestSupport.HTTPResponse

    private func store(
        _ server: FaultServer, _ change: (inout S3Configuration) -> Void = { _ in }
    ) throws -> S3Store {
        var configuration = S3Configuration(
            bucket: "b", endpoint: try S3Endpoint(parsing: server.endpoint), pathStyle: true,
            credentials: StaticCredentials(accessKey: "AKID", secretKey: Secret("hush")))
        configuration.retry = RetryPolicy(maximumAttempts: 3, baseDelay: .zero)
        configuration.uploadConcurrency = 2
        change(&configuration)
        return S3Store(configuration, log: .silent)
    }

    // MARK: Downloads

    private static let object = (0..<100).map { UInt8($0) }

    private static func range(_ request: TestSupport.HTTPRequest) -> Range<Int> {
        let numbers = (request.header("Range") ?? "bytes=0-99").dropFirst(6).split(separator: "-").compactMap {
            Int($0)
        }
        return numbers[0]..<min(numbers[1] + 1, 100)
    }

    private static func partial(_ request: TestSupport.HTTPRequest, etag: String? = "\"1\"") -> Answer {
        let range = range(request)
        var headers = [HTTPHeader("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/100")]
        if let etag { headers.append(HTTPHeader("ETag", etag)) }
        return Answer(206, headers: headers, body: Array(object[range]))
    }

    private func download(_ server: FaultServer, _ pool: PartPool) async throws -> [UInt8] {
        var content: [UInt8] = []
        let info = try await store(server).download("k", pool: pool, ahead: 2) { part in
            part.withUnsafeBytes { content += $0 }
            pool.give(part)
        }
        #expect(info.byteCount == content.count)
        return content
    }

    @Test(arguments: [0, 1, 17, 39])
    func `a broken body is resumed where it broke`(cut: Int) async throws {
        let server = try FaultServer { request in
            let reply = FaultReply.answer(Self.partial(request))
            return Self.range(request).count == 40 || Self.range(request).count == 20
                ? reply.cut(afterBody: cut, .close) : reply
        }
        // Every first try of a part is cut, unless nothing of it came: then the second try would be the same.
        let pool = PartPool(partSize: 40, limit: 3)
        if cut == 0 {
            let error = await #expect(throws: StorageError.self) { try await download(server, pool) }
            #expect(error?.kind == .unavailable && error?.attempts == 3)
        } else {
            #expect(try await download(server, pool) == Self.object)
            let resumed = server.requests.first { $0.header("Range") == "bytes=\(cut)-39" }
            #expect(resumed?.header("If-Match") == "\"1\"")
        }
        #expect((0..<3).allSatisfy { _ in pool.tryTake() != nil }, "parts are missing from the pool")
    }

    @Test func `progress is not counted as failure`() async throws {
        // Five bytes at a time: eight tries for the first part, of which no three in a row are in vain.
        let server = try FaultServer { .answer(Self.partial($0)).cut(afterBody: 5, .reset) }
        #expect(try await download(server, PartPool(partSize: 40, limit: 3)) == Self.object)
    }

    @Test func `without an entity tag a broken first part begins anew`() async throws {
        let server = try FaultServer { request in
            let reply = FaultReply.answer(Self.partial(request, etag: nil))
            return request.number == 1 ? reply.cut(afterBody: 10, .close) : reply
        }
        #expect(try await download(server, PartPool(partSize: 100, limit: 1)) == Self.object)
        #expect(server.requests.map { $0.header("Range") } == ["bytes=0-99", "bytes=0-99"])
    }

    @Test(arguments: [true, false])
    func `an object that changed while it was resumed is an error`(isHonoured: Bool) async throws {
        let server = try FaultServer { request in
            if request.number == 1 { return .answer(Self.partial(request)).cut(afterBody: 10, .close) }
            return .answer(
                isHonoured ? .s3Error(412, code: "PreconditionFailed") : Self.partial(request, etag: "\"2\""))
        }
        let pool = PartPool(partSize: 40, limit: 2)
        let error = await #expect(throws: StorageError.self) { try await download(server, pool) }
        #expect(error?.kind == .preconditionFailed)
        #expect((0..<2).allSatisfy { _ in pool.tryTake() != nil })
    }

    @Test func `a server without ranges gives a small object and refuses a large one`() async throws {
        let server = try FaultServer { _ in
            .answer(Answer(200, headers: [HTTPHeader("ETag", "\"1\"")], body: Self.object))
        }
        #expect(try await download(server, PartPool(partSize: 100, limit: 1)) == Self.object)
        let error = await #expect(throws: StorageError.self) {
            try await download(server, PartPool(partSize: 99, limit: 1))
        }
        #expect(error?.kind == .invalidRequest)
    }

    @Test func `a cancelled request ends at once`() async throws {
        let server = try FaultServer { _ in .nothing(.hang) }
        let store = try store(server)
        let task = Task { try await store.get("k", limit: 1) }
        while server.requestCount == 0 { await Task.yield() }
        task.cancel()
        let error = await #expect(throws: StorageError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
    }

    @Test func `a request of a cancelled task is not sent`() async throws {
        let server = try FaultServer { _ in .nothing(.hang) }
        let store = try store(server)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await store.get("k", limit: 1)
        }
        let error = await #expect(throws: StorageError.self) { try await task.value }
        #expect(error?.kind == .cancelled && server.requestCount == 0)
    }

    @Test func `the loop's thread ends with its last user`() async throws {
        let server = try FaultServer { _ in .answer(Answer(200)) }
        var loop: CurlLoop? = CurlLoop()
        _ = await loop?.perform(Storage.HTTPRequest(method: "GET", url: server.endpoint))
        weak let shared = loop?.shared
        loop = nil
        while shared != nil { await Task.yield() }
    }

    // MARK: Multipart uploads

    private static let partSize = 64

    /// Answers an upload of parts; `change` may answer otherwise.
    private func uploads(
        _ change: @escaping @Sendable (TestSupport.HTTPRequest, _ completions: Int) -> FaultReply?
    ) throws -> FaultServer {
        let completions = Locked(0)
        return try FaultServer { request in
            let isCompletion = request.method == "POST" && request.query.hasPrefix("uploadId=")
            let count = completions.withLock { count in
                if isCompletion { count += 1 }
                return count
            }
            if let reply = change(request, count) { return reply }
            switch (request.method, request.query) {
            case ("POST", "uploads="):
                let text = "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>"
                return .answer(Answer(200, body: Array(text.utf8)))
            case ("PUT", _):
                let etag = "\"\(Hex.encode(MessageDigest.md5(request.body.span.bytes)))\""
                return .answer(Answer(200, headers: [HTTPHeader("ETag", etag)]))
            case ("POST", _):
                let text = "<CompleteMultipartUploadResult><ETag>e-3</ETag></CompleteMultipartUploadResult>"
                return .answer(Answer(200, body: Array(text.utf8)))
            default: return .answer(Answer(request.method == "HEAD" ? 404 : 204))
            }
        }
    }

    private func part(_ number: UInt8, _ pool: PartPool, _ count: Int = partSize) async throws -> Part {
        let part = try await pool.take()
        part.append([UInt8](repeating: number, count: count).span.bytes)
        return part
    }

    private func upload(
        _ server: FaultServer, _ options: PutOptions = .replace, _ change: (inout S3Configuration) -> Void = { _ in }
    ) async throws -> ObjectInfo {
        let pool = PartPool(partSize: Self.partSize, limit: 4)
        defer { #expect((0..<4).allSatisfy { _ in pool.tryTake() != nil }, "parts are missing from the pool") }
        return try await store(server, change).withUpload(to: "k", options, pool: pool) { upload in
            for number: UInt8 in 1...2 { try await upload.append(part(number, pool)) }
            try await upload.append(part(3, pool, 10))
        }.info
    }

    private static let byteCount = 2 * partSize + 10

    private static let etag: String = {
        var joined: [UInt8] = []
        for (number, count) in [(UInt8(1), partSize), (2, partSize), (3, 10)] {
            joined += MessageDigest.md5([UInt8](repeating: number, count: count).span.bytes)
        }
        return "\"\(Hex.encode(MessageDigest.md5(joined.span.bytes)))-3\""
    }()

    private func targets(_ server: FaultServer) -> [String] { server.requests.map { "\($0.method) \($0.query)" } }

    @Test func `parts are sent and joined`() async throws {
        let server = try uploads { _, _ in nil }
        let info = try await upload(server)
        #expect(info.etag == "\"e-3\"" && info.byteCount == Self.byteCount)
        #expect(
            targets(server).sorted() == [
                "POST uploadId=u%2F1", "POST uploads=", "PUT partNumber=1&uploadId=u%2F1",
                "PUT partNumber=2&uploadId=u%2F1", "PUT partNumber=3&uploadId=u%2F1",
            ])
        let numbers = String(decoding: server.requests.last?.body ?? [], as: UTF8.self).split(separator: "PartNumber>")
        #expect(numbers.compactMap { $0.first?.wholeNumberValue } == [1, 2, 3])
    }

    @Test func `an error within a 200 is an error`() async throws {
        let error = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>try again</Message></Error>"
        let once = try uploads { _, completions in
            completions == 1 ? .answer(Answer(200, body: Array(error.utf8))) : nil
        }
        #expect(try await upload(once).etag == "\"e-3\"")
        let always = try uploads { request, completions in
            completions > 0 && request.method == "POST" ? .answer(Answer(200, body: Array(error.utf8))) : nil
        }
        let thrown = await #expect(throws: StorageError.self) { try await upload(always) }
        #expect(thrown?.kind == .unavailable && thrown?.serverCode == "InternalError" && thrown?.attempts == 3)
        #expect(targets(always).last == "DELETE uploadId=u%2F1")
    }

    @Test(arguments: [" \n", "<CompleteMultipartUploadResult><ETag>", "<html></html>"])
    func `a 200 without the document is no success`(body: String) async throws {
        let server = try uploads { _, completions in
            completions > 0 ? .answer(Answer(200, body: Array(body.utf8))) : nil
        }
        await #expect(throws: StorageError.self) { try await upload(server) }
    }

    @Test(arguments: [true, false])
    func `a completion whose answer was lost is found again`(isOurs: Bool) async throws {
        let server = try uploads { request, completions in
            guard completions > 0 else { return nil }
            let head = [
                HTTPHeader("ETag", isOurs ? Self.etag : "\"other-3\""),
                HTTPHeader("Content-Length", "\(Self.byteCount)"),
            ]
            return switch request.method {
            case "POST": completions == 1 ? .nothing(.reset) : .answer(.s3Error(404, code: "NoSuchUpload"))
            case "HEAD": .answer(Answer(200, headers: head))
            default: nil
            }
        }
        if isOurs {
            #expect(try await upload(server).etag == Self.etag)
        } else {
            let error = await #expect(throws: StorageError.self) { try await upload(server) }
            #expect(error?.serverCode == "NoSuchUpload")
        }
    }

    @Test func `a part that fails once is sent again alone`() async throws {
        let failed = Locked(false)
        let server = try uploads { request, _ in
            guard request.query.hasPrefix("partNumber=2&") else { return nil }
            return failed.withLock { failed in
                defer { failed = true }
                return failed ? nil : .nothing(.reset)
            }
        }
        _ = try await upload(server)
        #expect(
            targets(server).filter { $0.hasPrefix("PUT") }.sorted().map { $0.dropFirst(15).first } == [
                "1", "2", "2", "3",
            ])
    }

    @Test func `a part that is refused ends and aborts the upload`() async throws {
        let server = try uploads { request, _ in
            request.query.hasPrefix("partNumber=2&") ? .answer(.s3Error(403, code: "QuotaExceeded")) : nil
        }
        let error = await #expect(throws: StorageError.self) { try await upload(server) }
        #expect(error?.kind == .noSpace && error?.operation == "PUT part 2")
        #expect(targets(server).last == "DELETE uploadId=u%2F1")
        #expect(!targets(server).contains("POST uploadId=u%2F1"))
    }

    @Test func `a cancelled upload is aborted`() async throws {
        let server = try uploads { request, _ in request.method == "PUT" ? .nothing(.hang) : nil }
        let task = Task { try await upload(server) }
        while !targets(server).contains("POST uploads=") || server.requestCount < 2 { await Task.yield() }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        #expect(targets(server).last == "DELETE uploadId=u%2F1")
    }

    @Test func `an upload meets an object that came meanwhile`() async throws {
        let refused = try uploads { request, completions in
            completions > 0 && request.method == "POST" ? .answer(.s3Error(412, code: "PreconditionFailed")) : nil
        }
        let error = await #expect(throws: StorageError.self) { try await upload(refused, .create) }
        #expect(error?.kind == .alreadyExists)
        #expect(targets(refused).last == "DELETE uploadId=u%2F1")

        // A server that passes over If-None-Match has replaced it; HEAD afterwards tells.
        let heads = Locked(0)
        let replaced = try uploads { request, _ in
            guard request.method == "HEAD" else { return nil }
            let count = heads.withLock { heads in
                heads += 1
                return heads
            }
            guard count > 2 else { return nil }
            return .answer(Answer(200, headers: [HTTPHeader("ETag", "\"x-3\""), HTTPHeader("Content-Length", "138")]))
        }
        let other = await #expect(throws: StorageError.self) {
            try await upload(replaced, .create) { $0.compatibility.conditionalComplete = false }
        }
        #expect(other?.kind == .alreadyExists)
    }
}
