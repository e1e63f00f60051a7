import Bytes
import Digests

/// A request to S3 before it is addressed and signed; every attempt makes its own HTTP request from it.
struct S3Request: Sendable {
    /// For messages, for example `PUT part 7`.
    let operation: String
    /// For messages: the object below the store's prefix.
    let key: ObjectKey
    let method: String
    /// The whole key in the bucket; nil for a request on the bucket.
    let object: String?
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    private(set) var body = HTTPBody.none
    private(set) var payloadHash = SigV4.emptyPayloadHash
    /// The longest good answer that is taken, in bytes.
    var limit = 1 << 20
    /// Takes the bytes of `range` behind those it holds already; what breaks off is resumed from there.
    var part: Part?
    /// Bytes of the object that are wanted.
    var range: Range<Int>?
    /// The entity tag that the object must still have.
    var etag: String?
    /// The root element of the answer's document, for requests that answer with one.
    var root: String?
    /// What a cancelled task does to the request.
    var shield = Shield.none
    /// How often to try; nil for the configuration's.
    var retry: RetryPolicy?
    /// True: must not go out twice without our knowing.
    var needsFreshConnection = false
    /// How long the server may think without a byte; nil for the configuration's.
    var stallLimit: Duration?

    enum Shield: Sendable {
        /// It ends at once.
        case none
        /// An attempt under way is waited for, because its answer matters; there is no further one.
        case attempt
        /// It goes on as if nothing had happened.
        case all
    }

    init(_ operation: String, _ key: ObjectKey, method: String, object: String?) {
        self.operation = operation
        self.key = key
        self.method = method
        self.object = object
    }

    /// Sets the body, its SHA-256 and, when asked, its CRC-32C header.
    mutating func carry(_ parts: [Part], withChecksum: Bool) {
        body = .parts(parts.filter { $0.count > 0 })
        payloadHash = Hex.encode(MessageDigest.sha256(parts))
        guard withChecksum else { return }
        var checksum = CRC32C()
        for part in parts { part.withBytes { checksum.update($0) } }
        addChecksum(checksum.value)
    }

    /// Sets the body, its SHA-256 and, when asked, its CRC-32C header.
    mutating func carry(_ bytes: [UInt8], withChecksum: Bool) {
        body = bytes.isEmpty ? .none : .bytes(bytes)
        payloadHash = Hex.encode(MessageDigest.sha256(bytes.span.bytes))
        if withChecksum { addChecksum(CRC32C.checksum(bytes.span.bytes)) }
    }

    private mutating func addChecksum(_ checksum: UInt32) {
        headers.append(("x-amz-checksum-crc32c", Self.encoded(checksum)))
        // Ceph RGW 20 checks the header above only when this one names it.
        headers.append(("x-amz-sdk-checksum-algorithm", "CRC32C"))
    }

    /// A CRC-32C as the headers write it: base64 of its four bytes, most significant first.
    static func encoded(_ checksum: UInt32) -> String {
        Base64.encode([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> UInt32($0)) })
    }
}

/// The good answer to a request.
struct S3Reply: Sendable {
    let response: HTTPResponse
    /// The body, for requests that name its root.
    let document: XMLElement?
    let attempts: Int
}

/// A request that did not succeed.
struct S3Failure: Error {
    let error: StorageError
    /// True when an attempt may have been carried out although its answer was lost.
    let mayHaveBeenCarriedOut: Bool
}
