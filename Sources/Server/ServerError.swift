/// What went wrong while talking to the PostgreSQL server.
package struct ServerError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// No connection could be made: refused, unknown host, authentication, too many clients.
        case connectionFailed
        /// The connection ended while it was in use.
        case connectionLost
        /// The server refused the statement.
        case refused
        /// The answer is not of the expected form.
        case unexpectedAnswer
        /// The statement ran longer than it was allowed to.
        case timedOut
        /// The task was cancelled while the statement ran.
        case cancelled
    }

    package let kind: Kind
    /// What was being done, for example `starting the backup`.
    package let operation: String
    /// The server's five-character code (SQLSTATE), when one came.
    package let sqlState: String?
    /// What the server or libpq said; never a password.
    package let message: String
    /// What the server suggests, or what to do.
    package let hint: String?

    package init(
        _ kind: Kind, operation: String, sqlState: String? = nil, message: String, hint: String? = nil
    ) {
        self.kind = kind
        self.operation = operation
        self.sqlState = sqlState
        self.message = message
        self.hint = hint
    }

    package var description: String {
        var text = "\(operation): \(message)"
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let hint { text += "; hint: \(hint)" }
        return text
    }
}
