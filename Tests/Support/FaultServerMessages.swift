/// A request as the fault server received it.
package struct HTTPRequest: Sendable {
    /// Counted from 1, over all connections, in the order in which the requests' heads were complete.
    package let number: Int
    /// Counted from 1, in the order of acceptance.
    package let connection: Int
    package let method: String
    /// As it stood in the request line: path and query, still escaped.
    package let target: String
    /// In the order and spelling in which they came.
    package let headers: [HTTPHeader]
    /// The request's head, unaltered, the empty line included.
    package let head: [UInt8]
    /// The body as sent, chunk framing included.
    package var body: [UInt8]

    package var path: String { target.split(separator: "?", maxSplits: 1).first.map(String.init) ?? target }
    package var query: String { target.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? "" }

    /// The first header of the name, upper and lower case alike.
    package func header(_ name: String) -> String? { headers.first(name) }
}

package struct HTTPHeader: Equatable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension [HTTPHeader] {
    package func first(_ name: String) -> String? {
        first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// An answer to send, or one that the real server gave.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let headers: [HTTPHeader]
    /// As on the wire, chunk framing included when a real server used it.
    package let body: [UInt8]
    /// The head exactly as it goes out, the empty line included.
    package let head: [UInt8]

    /// Makes an answer; `Content-Length` is added unless `headers` has it, or the status has no body.
    package init(_ status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.body = body
        var headers = headers
        let hasBody = status >= 200 && status != 204 && status != 304
        if hasBody, headers.first("Content-Length") == nil, headers.first("Transfer-Encoding") == nil {
            headers.append(HTTPHeader("Content-Length", String(body.count)))
        }
        self.headers = headers
        let lines = ["HTTP/1.1 \(status) \(Self.reason(status))"] + headers.map { "\($0.name): \($0.value)" }
        head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    init(status: Int, headers: [HTTPHeader], body: [UInt8], head: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
        self.head = head
    }

    /// An error as S3 words it.
    package static func s3Error(
        _ status: Int, code: String, message: String = "on purpose", headers: [HTTPHeader] = []
    ) -> HTTPResponse {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>\(code)</Code><Message>\(message)</Message><RequestId>fault-1</RequestId></Error>
            """
        return HTTPResponse(
            status, headers: headers + [HTTPHeader("Content-Type", "application/xml")], body: Array(text.utf8))
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301, 302, 307, 308: "Redirect"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        default: "Status \(status)"
        }
    }
}

/// What the fault server does with a request: where the answer comes from, and how much of it arrives.
///
///     .answer(.s3Error(503, code: "SlowDown"))         an answer of our own; the real server hears nothing
///     .nothing(.reset)                                 no answer, before any effect
///     .forward                                         the real server's answer, unaltered
///     .forward.lost(.reset)                            the effect takes place, the reply is lost
///     .forward.cut(afterBody: 1000, .close)            the head and 1000 bytes of the body arrive
///     .forward.dripped(by: 1)                          all arrives, one byte a packet
///     .forward.changed { … }                           the real server's answer, altered
package struct FaultReply: Sendable {
    /// How a connection ends that brings no whole answer.
    package enum Ending: Sendable {
        /// Closed in order (FIN).
        case close
        /// Reset (RST).
        case reset
        /// Nothing more comes; it stays open until the client closes it or the server stops.
        case hang
    }

    enum Source: Sendable {
        case nowhere
        case answer(HTTPResponse)
        case upstream
    }

    enum Delivery: Sendable {
        case whole
        /// Writes of this many bytes each.
        case dripped(Int)
        /// That many bytes of the head, counted from its start, then the ending.
        case headCut(Int, Ending)
        /// The head and that many bytes of the body, then the ending.
        case bodyCut(Int, Ending)
    }

    let source: Source
    var delivery: Delivery = .whole
    var change: (@Sendable (HTTPResponse) -> HTTPResponse)?

    package static func answer(_ response: HTTPResponse) -> FaultReply { FaultReply(source: .answer(response)) }
    package static func nothing(_ ending: Ending) -> FaultReply {
        FaultReply(source: .nowhere, delivery: .headCut(0, ending))
    }
    package static let forward = FaultReply(source: .upstream)

    package func lost(_ ending: Ending) -> FaultReply { with(.headCut(0, ending)) }
    package func cut(afterHead count: Int, _ ending: Ending) -> FaultReply { with(.headCut(count, ending)) }
    package func cut(afterBody count: Int, _ ending: Ending) -> FaultReply { with(.bodyCut(count, ending)) }
    package func dripped(by count: Int) -> FaultReply { with(.dripped(max(1, count))) }

    package func changed(_ change: @escaping @Sendable (HTTPResponse) -> HTTPResponse) -> FaultReply {
        var reply = self
        reply.change = change
        return reply
    }

    private func with(_ delivery: Delivery) -> FaultReply {
        var reply = self
        reply.delivery = delivery
        return reply
    }
}

/// A fault for chosen requests: those that match, counted from 1, whose count is in `occurrences`.
package struct FaultRule: Sendable {
    let matches: @Sendable (HTTPRequest) -> Bool
    let occurrences: ClosedRange<Int>
    let reply: FaultReply

    /// A rule for requests of a method (nil for any) whose target contains a text (nil for any).
    ///
    ///     FaultRule("PUT", containing: "/wal_005/", on: 1...2, .answer(.s3Error(503, code: "SlowDown")))
    package init(
        _ method: String? = nil, containing text: String? = nil, on occurrences: ClosedRange<Int> = 1...Int.max,
        _ reply: FaultReply
    ) {
        self.init(on: occurrences, reply) { request in
            (method.map { $0 == request.method } ?? true) && (text.map { request.target.contains($0) } ?? true)
        }
    }

    package init(
        on occurrences: ClosedRange<Int> = 1...Int.max, _ reply: FaultReply,
        where matches: @escaping @Sendable (HTTPRequest) -> Bool
    ) {
        self.matches = matches
        self.occurrences = occurrences
        self.reply = reply
    }
}
