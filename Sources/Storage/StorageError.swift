/// What went wrong while talking to an object store.
package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The object is not there; for a store that says so, the bucket is.
        case notFound
        /// The bucket or the root directory itself is not there.
        case noSuchBucket
        /// A write that must not overwrite met an object.
        case alreadyExists
        /// The object changed between two requests (`If-Match`).
        case preconditionFailed
        case permissionDenied
        /// The store asked for less speed, and still did when the budget was spent.
        case throttled
        /// No usable answer: refused, reset, timed out, 5xx.
        case unavailable
        /// Bytes arrived that are not the bytes that were stored.
        case corrupted
        /// The store understood and refused; or the request cannot be made as asked.
        case invalidRequest
        /// The store has no room.
        case noSpace
        case cancelled
    }

    package let kind: Kind
    /// What was being done, for example `PUT part 7`.
    package let operation: String
    /// The object, below the store's prefix; empty when the request was about the bucket.
    package let key: ObjectKey
    /// The HTTP status, when one came.
    package let status: Int?
    /// The store's own code, for example `SlowDown`.
    package let serverCode: String?
    package let requestID: String?
    /// How often it was tried.
    package let attempts: Int
    /// What the other side said, and what to do, when there is something.
    package let detail: String

    package init(
        _ kind: Kind, operation: String, key: ObjectKey = "", status: Int? = nil, serverCode: String? = nil,
        requestID: String? = nil, attempts: Int = 1, detail: String
    ) {
        self.kind = kind
        self.operation = operation
        self.key = key
        self.status = status
        self.serverCode = serverCode
        self.requestID = requestID
        self.attempts = attempts
        self.detail = detail
    }

    package var description: String {
        var text = key.text.isEmpty ? operation : "\(operation) \(key)"
        text += ": \(detail)"
        var notes: [String] = []
        if let status { notes.append("HTTP \(status)") }
        if let serverCode { notes.append(serverCode) }
        if let requestID { notes.append("request \(requestID)") }
        if attempts > 1 { notes.append("\(attempts) attempts") }
        return notes.isEmpty ? text : text + " (" + notes.joined(separator: ", ") + ")"
    }
}
