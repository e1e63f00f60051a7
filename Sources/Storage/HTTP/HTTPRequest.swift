package import Bytes

/// What a request carries: nothing, bytes of ours, or the filled bytes of parts, one after the other.
///
/// The bytes are read where they lie; whoever owns the parts must leave them alone until the request is over.
package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    case parts([Part])

    package var byteCount: Int {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .parts(let parts): parts.reduce(0) { $0 + $1.count }
        }
    }
}

/// Where the body of a good answer goes.
///
/// Bodies of other answers are collected up to 64 KiB, the rest of them is dropped.
package enum HTTPDestination: Sendable {
    /// Into the response; a longer body ends the transfer with `tooLong`.
    case bytes(limit: Int)
    /// Behind what the part already holds. Taken only from an answer 206 that begins at `offset`, or 200 when `offset`
    /// is 0, so that an answer for other bytes cannot be mixed in.
    case part(Part, offset: Int)
}

/// One HTTP request, with everything decided.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Scheme, host, port, encoded path and query.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: HTTPBody
    package var destination: HTTPDestination
    /// From submission to the last byte of the answer.
    package var deadline: Duration
    /// How long less than 1 KiB a second may flow, waiting for the answer included.
    package var stallLimit: Duration
    package var connectLimit: Duration
    /// Whether the request may not go out on a connection used before.
    ///
    /// libcurl sends a request again by itself when a reused connection turns out dead, and reports that only when
    /// there was a body to rewind.
    package var needsFreshConnection = false

    package init(
        method: String, url: String, headers: [(name: String, value: String)] = [], body: HTTPBody = .none,
        destination: HTTPDestination = .bytes(limit: 1 << 20), deadline: Duration = .seconds(60),
        stallLimit: Duration = .seconds(20), connectLimit: Duration = .seconds(10)
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.destination = destination
        self.deadline = deadline
        self.stallLimit = stallLimit
        self.connectLimit = connectLimit
    }
}
