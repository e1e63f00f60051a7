import Glibc
import Testing

@testable import Storage
@testable import TestSupport

@Suite(.timeLimit(.minutes(1))) struct FaultServerTests {
    /// A client that keeps one connection and sees raw bytes.
    private final class Client {
        let connection: HTTPConnection

        init(_ server: FaultServer) { connection = HTTPConnection(HTTPConnection.connect(port: server.port)) }
        deinit { close(connection.descriptor) }

        func send(_ method: String, _ target: String, _ headers: [String] = [], body: String = "") {
            let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
            let lines = ["\(method) \(target) HTTP/1.1", "host: somewhere:99"] + headers + length
            connection.write((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
        }

        /// Status and body of the next answer; nil when the connection ended.
        func receive(hasBody: Bool = true) -> (status: String, body: String)? {
            guard let head = connection.readHead(), let (words, headers) = HTTPConnection.parse(head),
                let body = hasBody ? connection.readBody(headers, toEnd: true) : []
            else { return nil }
            return (words[1], String(decoding: body, as: UTF8.self))
        }

        /// Everything to the end, and whether the end was a reset.
        func receiveToEnd() -> (text: String, wasReset: Bool) {
            errno = 0
            let bytes = connection.readToEnd()
            var code: CInt = 0
            var more: UInt8 = 0
            if recv(connection.descriptor, &more, 1, 0) < 0 { code = errno }
            return (String(decoding: bytes, as: UTF8.self), code == ECONNRESET || resetSeen)
        }

        /// `readToEnd` may have met the reset itself; then the socket has no error left and no peer.
        private var resetSeen: Bool {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getpeername(connection.descriptor, $0, &length) < 0
                }
            }
        }
    }

    @Test func `a script answers in order on one connection and records the requests`() throws {
        let server = try FaultServer(replies: [
            .answer(HTTPResponse(200, headers: [HTTPHeader("ETag", "\"1\"")], body: Array("one".utf8))),
            .answer(.s3Error(503, code: "SlowDown")),
        ])
        let client = Client(server)
        client.send("PUT", "/bucket/key?partNumber=1", ["X-Test: yes"], body: "hello")
        #expect(try #require(client.receive()) == ("200", "one"))
        client.send("GET", "/bucket/key")
        let second = try #require(client.receive())
        #expect(second.status == "503")
        #expect(second.body.contains("<Code>SlowDown</Code>"))
        client.send("GET", "/")
        #expect(client.receive()?.status == "500")
        #expect(server.requestCount == 3)
        #expect(server.connectionCount == 1)
        let first = try #require(server.requests.first)
        #expect([first.method, first.path, first.query] == ["PUT", "/bucket/key", "partNumber=1"])
        #expect(first.header("x-test") == "yes")
        #expect(first.body == Array("hello".utf8))
        #expect(server.exchanges.map(\.sentStatus) == [200, 503, 500])
    }

    @Test func `a HEAD answer has the length and no body`() throws {
        let server = try FaultServer { _ in .answer(HTTPResponse(200, body: Array("12345".utf8))) }
        let client = Client(server)
        client.send("HEAD", "/")
        #expect(client.receive(hasBody: false)?.status == "200")
        client.send("GET", "/")
        #expect(try #require(client.receive()) == ("200", "12345"))
    }

    @Test(arguments: [1, 2, 1000])
    func `a dripped answer arrives whole`(size: Int) throws {
        let server = try FaultServer { _ in .answer(HTTPResponse(200, body: Array("body".utf8))).dripped(by: size) }
        let client = Client(server)
        client.send("GET", "/")
        #expect(try #require(client.receive()) == ("200", "body"))
    }

    @Test func `a cut body keeps its announced length and ends early`() throws {
        let server = try FaultServer { _ in
            .answer(HTTPResponse(200, body: Array("0123456789".utf8))).cut(afterBody: 4, .close)
        }
        let client = Client(server)
        client.send("GET", "/")
        let (text, wasReset) = client.receiveToEnd()
        #expect(text == "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123")
        #expect(!wasReset)
    }

    @Test func `a cut head ends within the head`() throws {
        let server = try FaultServer { _ in .answer(HTTPResponse(200)).cut(afterHead: 8, .close) }
        let client = Client(server)
        client.send("GET", "/")
        #expect(client.receiveToEnd().text == "HTTP/1.1")
    }

    @Test func `a reset connection brings nothing, and is no orderly end`() throws {
        let server = try FaultServer { _ in .nothing(.reset) }
        let client = Client(server)
        client.send("GET", "/")
        let (text, wasReset) = client.receiveToEnd()
        #expect(text.isEmpty)
        #expect(wasReset)
        #expect(server.exchanges.map(\.sentStatus) == [nil])
    }

    @Test func `a hanging answer ends when the server stops`() throws {
        let server = try FaultServer { _ in .answer(HTTPResponse(200, body: [65, 66])).cut(afterBody: 1, .hang) }
        let client = Client(server)
        client.send("GET", "/")
        #expect(client.connection.readHead() != nil)
        #expect(client.connection.readBytes(1) == [65])
        server.stop()
        #expect(client.receiveToEnd().text.isEmpty)
        #expect(HTTPConnection.connect(port: server.port) == -1)
    }

    @Test func `an early reply comes before the body is read`() throws {
        let server = try FaultServer(early: { _ in .answer(HTTPResponse(403)) }, { _ in .nothing(.close) })
        let client = Client(server)
        client.send("PUT", "/", ["Content-Length: 1000000"])
        #expect(client.receive()?.status == "403")
        #expect(server.requestCount == 1)
    }

    @Test func `a waiting client is told to go on with its body`() throws {
        let server = try FaultServer { .answer(HTTPResponse(200, body: $0.body)) }
        let client = Client(server)
        client.send("PUT", "/", ["Expect: 100-continue", "Content-Length: 2"])
        #expect(client.receive(hasBody: false)?.status == "100")
        client.connection.write("ok".utf8)
        #expect(try #require(client.receive()) == ("200", "ok"))
    }

    @Test func `the proxy passes heads and bodies on unaltered, both ways`() throws {
        let real = try FaultServer { request in
            let chunked = Array("3\r\nabc\r\n0\r\n\r\n".utf8)
            return request.path == "/chunked"
                ? .answer(HTTPResponse(200, headers: [HTTPHeader("transfer-encoding", "chunked")], body: chunked))
                : .answer(HTTPResponse(201, headers: [HTTPHeader("x-Mixed", " a  b")], body: request.body))
        }
        let proxy = try FaultServer(upstream: real.endpoint)
        let client = Client(proxy)
        client.send("PUT", "/%7Eodd/./key?b=%2F&a", ["X-Amz-Date:20260101T000000Z"], body: "payload")
        #expect(try #require(client.receive()) == ("201", "payload"))
        client.send("PUT", "/chunks", ["Transfer-Encoding: chunked"])
        client.connection.write("4;x=y\r\nWiki\r\n0\r\nTrailer: t\r\n\r\n".utf8)
        let framing = try #require(client.receive())
        #expect(framing.body == "4;x=y\r\nWiki\r\n0\r\nTrailer: t\r\n\r\n")
        client.send("GET", "/chunked")
        #expect(try #require(client.receive()).body == "3\r\nabc\r\n0\r\n\r\n")
        #expect(real.requests.map(\.head) == proxy.requests.map(\.head))
        #expect(real.requests.map(\.body) == proxy.requests.map(\.body))
        #expect(real.requests.first?.header("Host") == "somewhere:99")
        #expect(proxy.exchanges.map(\.upstreamStatus) == [201, 201, 200])
        #expect(proxy.connectionCount == 1)
    }

    @Test func `rules spoil chosen requests before or after their effect`() throws {
        let real = try FaultServer { _ in .answer(HTTPResponse(200, body: Array("real".utf8))) }
        let proxy = try FaultServer(
            upstream: real.endpoint,
            rules: [
                FaultRule("PUT", containing: "/wal/", on: 2...2, .forward.lost(.close)),
                FaultRule("PUT", on: 3...3, .answer(.s3Error(500, code: "InternalError"))),
                FaultRule("GET", .forward.changed { HTTPResponse($0.status, body: Array("false".utf8)) }),
            ])
        let client = Client(proxy)
        client.send("PUT", "/wal/1", body: "x")
        #expect(client.receive()?.status == "200")
        client.send("PUT", "/wal/2", body: "x")
        #expect(client.receive() == nil)
        #expect(real.requestCount == 2, "the request whose reply was lost took effect")
        let second = Client(proxy)
        second.send("PUT", "/other", body: "x")
        #expect(second.receive()?.status == "500")
        #expect(real.requestCount == 2, "a request that was refused did not")
        second.send("GET", "/wal/1")
        #expect(second.receive()?.body == "false")
        proxy.setRules([])
        second.send("GET", "/wal/1")
        #expect(second.receive()?.body == "real")
        #expect(proxy.exchanges.map(\.sentStatus) == [200, nil, 500, 200, 200])
        #expect(proxy.exchanges.map(\.upstreamStatus) == [200, 200, nil, 200, 200])
    }

    @Test func `a proxy whose server is gone answers 502`() throws {
        let real = try FaultServer { _ in .nothing(.close) }
        let proxy = try FaultServer(upstream: real.endpoint)
        let client = Client(proxy)
        client.send("GET", "/")
        #expect(client.receive()?.status == "502")
        real.stop()
        client.send("GET", "/")
        #expect(client.receive()?.status == "502")
    }

    @Test(.enabled(if: TestEnvironment.hasProgram("curl"), "needs curl"))
    func `curl talks to it`() async throws {
        let server = try FaultServer { .answer(HTTPResponse(200, body: $0.body.reversed())) }
        let result = try await Shell.run(
            ["curl", "-sS", "--noproxy", "*", "-T", "-", "\(server.endpoint)/a"], input: Array("stressed".utf8))
        #expect(result.exitCode == 0, "\(result)")
        #expect(server.requests.first?.header("transfer-encoding") == "chunked")
    }

    @Test(.enabled(if: S3Server.isThere, "WALS_TEST_S3_ENDPOINT is not set"))
    func `signatures hold through the proxy, and a lost reply is told from a lost request`() async throws {
        let upstream = try #require(S3Server.variable("WALS_TEST_S3_ENDPOINT"))
        let proxy = try FaultServer(
            upstream: upstream, rules: [FaultRule("PUT", containing: "/lost", on: 1...1, .forward.lost(.reset))])
        var configuration = try S3Server.configuration(prefix: "proxied/\(UInt64.random(in: 0 ... .max))")
        configuration.endpoint = try S3Endpoint(parsing: proxy.endpoint)
        let store = S3Store(configuration, log: .silent)
        var generator = SeededGenerator(seed: 5)
        let bytes = generator.bytes(100_000)
        for key: ObjectKey in ["plain", "odd key+%", "lost"] {
            #expect(try await store.put(bytes, at: key, .create).byteCount == bytes.count)
            #expect(try await store.get(key, limit: bytes.count).bytes == bytes)
        }
        #expect(try await store.list(prefix: "").objects.map(\.key) == ["lost", "odd key+%", "plain"])
        #expect(try await store.delete(["lost", "odd key+%", "plain"]) == [])
        #expect(proxy.exchanges.first { $0.sentStatus == nil }?.upstreamStatus == 200)
    }
}
