/// An answer that arrived whole.
package struct HTTPResponse: Sendable {
    package let status: Int
    /// In the order of arrival, names in lower case.
    package let headers: [(name: String, value: String)]
    /// The body, unless it went into a part.
    package let body: [UInt8]
    /// True when libcurl sent the request a second time, on a new connection, so that the first may have counted.
    package let wasResent: Bool

    package init(
        status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], wasResent: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.wasResent = wasResent
    }

    /// The first header of the name (lower case).
    package subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A transfer that ended without a whole answer.
package struct TransferError: Error, Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// The host's name has no address.
        case unresolved
        /// No connection came about.
        case refused
        /// The deadline passed, or too little flowed for too long.
        case timedOut
        /// The connection broke, before or within the answer.
        case reset
        /// The answer ended before its announced length.
        case truncated
        /// The other side's certificate is not trusted.
        case untrusted
        /// The answer is longer than the caller takes.
        case tooLong
        /// The request cannot be sent at all: a bad URL, a protocol that is not offered.
        case malformed
        case cancelled
    }

    package let kind: Kind
    /// What libcurl says of it.
    package let reason: String
    /// The entity tag of the answer that broke off, for going on with the same object.
    package let etag: String?

    package init(_ kind: Kind, _ reason: String, etag: String? = nil) {
        self.kind = kind
        self.reason = reason
        self.etag = etag
    }
}
