package import Bytes

/// Everything that an S3 store is told from outside.
package struct S3Configuration: Sendable {
    package enum Encryption: Sendable {
        case none
        /// SSE-S3, `AES256`.
        case aes256
        /// SSE-KMS, `aws:kms`, with the account's key or the one named.
        case kms(keyID: String?)
        /// SSE-C: 32 bytes of our own, sent with every request on an object.
        case customer(key: Secret)
    }

    /// How long a request may take.
    package struct Deadlines: Equatable, Sendable {
        package var connect: Duration
        /// For a request without a body.
        package var base: Duration
        /// What a body may add: its bytes at this speed, in bytes a second.
        package var slowestRate: Int
        /// How long less than 1 KiB a second may flow.
        package var stall: Duration

        package init(
            connect: Duration = .seconds(10), base: Duration = .seconds(30), slowestRate: Int = 128 << 10,
            stall: Duration = .seconds(20)
        ) {
            self.connect = connect
            self.base = base
            self.slowestRate = slowestRate
            self.stall = stall
        }
    }

    package var bucket: String
    /// Without slashes at its ends; empty for the whole bucket.
    package var prefix: String
    package var region: String
    /// Nil for AWS, `s3.<region>.amazonaws.com`.
    package var endpoint: S3Endpoint?
    /// True: the bucket is in the path; false: in the host's name.
    package var pathStyle: Bool
    package var credentials: any CredentialsProvider
    /// Sent only when set.
    package var storageClass: String?
    package var encryption: Encryption = .none
    /// Sent and signed with every request.
    package var additionalHeaders: [(name: String, value: String)] = []
    /// A file of PEM certificates to trust instead of the system's.
    package var certificates: String?
    /// Parts of one multipart upload in flight at once.
    package var uploadConcurrency = 4
    package var retry = RetryPolicy()
    package var deadlines = Deadlines()
    package var compatibility = Compatibility()

    package init(
        bucket: String, prefix: String = "", region: String = "us-east-1", endpoint: S3Endpoint? = nil,
        pathStyle: Bool = false, credentials: any CredentialsProvider
    ) {
        self.bucket = bucket
        self.prefix = Self.trimmed(prefix)
        self.region = region
        self.endpoint = endpoint
        self.pathStyle = pathStyle
        self.credentials = credentials
    }

    /// The bucket and prefix of `s3://bucket/path`.
    ///
    /// Slashes at the ends of the path are cut off; those within stay as they are.
    package static func parse(prefixURL text: String) throws(StorageError) -> (bucket: String, prefix: String) {
        func refuse(_ reason: String) -> StorageError {
            StorageError(
                .invalidRequest, operation: "read prefix",
                detail: "\"\(text)\" is not usable: \(reason); expected s3://bucket/path")
        }
        guard text.hasPrefix("s3://") else { throw refuse("it does not begin with s3://") }
        let rest = text.dropFirst(5)
        let bucket = String(rest.prefix { $0 != "/" })
        let prefix = trimmed(String(rest.dropFirst(bucket.count)))
        guard !bucket.isEmpty else { throw refuse("the bucket's name is missing") }
        guard bucket.utf8.allSatisfy(isBucketCharacter), bucket != ".", bucket != ".." else {
            throw refuse("\"\(bucket)\" is no bucket name (letters, digits, dots, hyphens and underscores)")
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw refuse("it holds a control character")
        }
        return (bucket, prefix)
    }

    private static func isBucketCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    private static func trimmed(_ prefix: String) -> String {
        var text = Substring(prefix)
        while text.hasPrefix("/") { text.removeFirst() }
        while text.hasSuffix("/") { text.removeLast() }
        return String(text)
    }
}
