import Bytes
import Glibc

/// An HTTP/1.1 server on loopback that answers as a test says, or passes requests on to a real server and spoils them.
///
/// **Scripted.** The closure sees each whole request and says what comes back. It runs on the connection's own thread
/// and may block.
///
///     let server = try FaultServer { request in
///         request.number == 1 ? .answer(.s3Error(503, code: "SlowDown")) : .answer(HTTPResponse(200))
///     }
///     let store = S3Store(configuration(endpoint: server.endpoint), log: .silent)
///     #expect(server.requests.map(\.method) == ["PUT", "PUT"])
///
/// **Proxy.** Requests go to `upstream` and its answers come back, byte for byte; the `Host` header is kept, so that
/// signatures hold. Rules choose requests and spoil them before they take effect or after (a lost reply). The first
/// rule that takes a request decides; the others count it all the same. Rules may be changed while it runs.
///
///     let server = try FaultServer(upstream: "http://127.0.0.1:9100", rules: [
///         FaultRule("PUT", containing: "/wal_005/", on: 1...1, .forward.lost(.reset)),
///         FaultRule("GET", on: 1...2, .answer(.s3Error(500, code: "InternalError"))),
///     ])
///     …
///     server.setRules([])
///
/// Bodies are held in memory. No TLS. The server stops when its last reference goes.
package final class FaultServer: Sendable {
    /// One request and what became of it.
    package struct Exchange: Sendable {
        package let request: HTTPRequest
        /// The status that the client was sent, whole or not; nil when no byte of an answer was.
        package let sentStatus: Int?
        /// What the real server answered, when it was asked and did.
        package let upstreamStatus: Int?
    }

    private let core: FaultServerCore

    /// A server whose answers come from `handler`; `.forward` asks for an upstream and is answered with 502 here.
    ///
    /// `early`, when it returns a reply, answers as soon as the request's head is there, without reading the body;
    /// the connection then ends.
    package convenience init(
        early: (@Sendable (HTTPRequest) -> FaultReply?)? = nil,
        _ handler: @escaping @Sendable (HTTPRequest) -> FaultReply
    ) throws {
        try self.init(upstream: nil, early: early, handler: handler)
    }

    /// A server that gives the replies in this order, and 500 when there are no more.
    package convenience init(replies: [FaultReply]) throws {
        try self.init { request in
            request.number <= replies.count
                ? replies[request.number - 1] : .answer(HTTPResponse(500, body: Array("the script has ended".utf8)))
        }
    }

    /// A server that passes everything on to `upstream`, for example `http://127.0.0.1:9100`, but for the rules.
    package convenience init(upstream: String, rules: [FaultRule] = []) throws {
        try self.init(upstream: upstream, early: nil, handler: nil)
        setRules(rules)
    }

    /// The general form: a closure that may say `.forward`.
    package init(
        upstream: String?, early: (@Sendable (HTTPRequest) -> FaultReply?)?,
        handler: (@Sendable (HTTPRequest) -> FaultReply)?
    ) throws {
        core = try FaultServerCore(upstream: upstream.map(Self.port(of:)), early: early, handler: handler)
        core.start()
    }

    deinit { core.stop() }

    package var port: UInt16 { core.port }
    /// Where it listens: `http://127.0.0.1:PORT`.
    package var endpoint: String { "http://127.0.0.1:\(core.port)" }
    /// Every exchange so far, in the order of the requests; bodies cut after 1 MiB.
    package var exchanges: [Exchange] { core.exchanges }
    package var requests: [HTTPRequest] { exchanges.map(\.request) }
    package var requestCount: Int { core.requestCount }
    package var connectionCount: Int { core.connectionCount }

    /// Replaces the rules; their counts start anew.
    package func setRules(_ rules: [FaultRule]) { core.setRules(rules) }

    /// Ends all connections and takes no more.
    package func stop() { core.stop() }

    private static func port(of endpoint: String) -> UInt16 {
        let digits = endpoint.split(separator: ":").last.map { $0.prefix { $0.isNumber } } ?? ""
        guard let port = UInt16(digits) else { preconditionFailure("\(endpoint) is not http://127.0.0.1:PORT") }
        return port
    }
}
