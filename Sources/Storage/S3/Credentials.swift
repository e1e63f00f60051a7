package import Bytes

/// A key pair of an S3 account, with a session token when the pair is a temporary one.
package struct Credentials: Equatable, Sendable {
    package let accessKey: String
    package let secretKey: Secret
    package let sessionToken: Secret?

    package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

/// Where credentials come from.
package protocol CredentialsProvider: Sendable {
    /// The credentials to sign the next request with; asked before every attempt, so the provider keeps them.
    ///
    /// `refused` are those that the server has just called expired; the provider then gets new ones, or returns the
    /// same when it has no others, which ends the retries.
    func credentials(replacing refused: Credentials?) async throws(StorageError) -> Credentials
}

/// Credentials that are given once and stay.
package struct StaticCredentials: CredentialsProvider, Equatable {
    private let credentials: Credentials

    package init(_ credentials: Credentials) { self.credentials = credentials }

    package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil) {
        self.init(Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: sessionToken))
    }

    package func credentials(replacing refused: Credentials?) async throws(StorageError) -> Credentials { credentials }
}
