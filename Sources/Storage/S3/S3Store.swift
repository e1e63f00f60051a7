package import Bytes
import Digests

/// Objects in a bucket of an S3-compatible server, below a prefix.
///
/// `ObjectInfo.modified` of a finished write is the server's `Date` at its answer, which may differ from the stored
/// time by a second; listings and `info` tell the stored time, in whole seconds.
package struct S3Store: ObjectStore {
    package let location: String
    let client: S3Client
    /// Empty, or with a closing slash.
    let prefix: String

    var configuration: S3Configuration { client.configuration }
    var compatibility: Compatibility { client.configuration.compatibility }

    package init(_ configuration: S3Configuration, log: Log) {
        self.init(configuration, log: log, clock: .system)
    }

    package init(_ configuration: S3Configuration, log: Log, clock: RetryClock) {
        client = S3Client(configuration, log: log, clock: clock)
        prefix = configuration.prefix.isEmpty ? "" : configuration.prefix + "/"
        location = "s3://" + configuration.bucket + (configuration.prefix.isEmpty ? "" : "/" + configuration.prefix)
    }

    /// A request on an object, with the headers that every one needs.
    func request(_ operation: String, _ key: ObjectKey, method: String) -> S3Request {
        S3Request(operation, key, method: method, object: prefix + key.text)
    }

    /// Sends, and throws what callers of the store understand.
    func send(_ request: S3Request) async throws(StorageError) -> S3Reply {
        do {
            return try await client.send(request)
        } catch {
            throw error.error
        }
    }

    package func get(_ key: ObjectKey, limit: Int) async throws -> (bytes: [UInt8], info: ObjectInfo) {
        var request = request("GET", key, method: "GET")
        request.headers = readingHeaders
        request.limit = limit
        if compatibility.checksums { request.headers.append(("x-amz-checksum-mode", "ENABLED")) }
        let reply = try await send(request)
        let bytes = reply.response.body
        if let stored = Self.wholeChecksum(reply.response),
            stored != S3Request.encoded(CRC32C.checksum(bytes.span.bytes))
        {
            throw StorageError(
                .corrupted, operation: "GET", key: key, status: reply.response.status,
                requestID: reply.response["x-amz-request-id"], attempts: reply.attempts,
                detail: "the bytes that arrived do not have the stored CRC-32C \(stored)")
        }
        return (bytes, try info(key, reply, byteCount: bytes.count))
    }

    package func info(_ key: ObjectKey) async throws -> ObjectInfo? {
        do {
            let reply = try await head(key)
            return try info(key, reply, byteCount: Self.length(reply.response))
        } catch let error where error.kind == .notFound {
            return nil
        }
    }

    func head(_ key: ObjectKey) async throws(StorageError) -> S3Reply {
        var request = request("HEAD", key, method: "HEAD")
        request.headers = readingHeaders
        if compatibility.checksums { request.headers.append(("x-amz-checksum-mode", "ENABLED")) }
        return try await send(request)
    }

    /// Makes the bucket; for tests.
    package func createBucket() async throws {
        do {
            _ = try await send(S3Request("create bucket", "", method: "PUT", object: nil))
        } catch let error where error.serverCode == "BucketAlreadyOwnedByYou" {}
    }

    /// What an answer's headers say of the object; `byteCount` nil means they should have.
    func info(_ key: ObjectKey, _ reply: S3Reply, byteCount: Int?) throws(StorageError) -> ObjectInfo {
        let response = reply.response
        let date = response["last-modified"] ?? response["date"]
        guard let byteCount else {
            throw StorageError(
                .unavailable, operation: "read answer", key: key, status: response.status,
                requestID: response["x-amz-request-id"], attempts: reply.attempts,
                detail: "the server does not tell the object's length")
        }
        return ObjectInfo(
            key: key, byteCount: byteCount, modified: date.flatMap(HTTPDate.parse) ?? client.clock.now(),
            etag: response["etag"].map(Self.quoted))
    }

    /// An entity tag with its quotes, which some servers leave out in documents (Ceph RGW) and some in headers.
    static func quoted(_ etag: String) -> String { etag.hasSuffix("\"") ? etag : "\"\(etag)\"" }

    static func length(_ response: HTTPResponse) -> Int? { response["content-length"].flatMap { Int($0) } }

    /// The CRC-32C of the whole object, as the server keeps it; nil also for one made of the parts' checksums.
    static func wholeChecksum(_ response: HTTPResponse) -> String? {
        guard let checksum = response["x-amz-checksum-crc32c"], !checksum.contains("-"),
            response["x-amz-checksum-type"] != "COMPOSITE"
        else { return nil }
        return checksum
    }
}

extension S3Store {
    /// Headers for requests that read an object or its properties.
    var readingHeaders: [(name: String, value: String)] {
        guard case .customer(let key) = configuration.encryption else { return [] }
        let bytes = Array(key.revealed.utf8)
        let raw = bytes.count == 32 ? bytes : Base64.decode(key.revealed) ?? bytes
        let name = "x-amz-server-side-encryption-customer-"
        return [
            (name + "algorithm", "AES256"), (name + "key", Base64.encode(raw)),
            (name + "key-MD5", Base64.encode(MessageDigest.md5(raw.span.bytes))),
        ]
    }

    /// Headers for requests that create an object.
    var creatingHeaders: [(name: String, value: String)] {
        var headers = readingHeaders
        switch configuration.encryption {
        case .none, .customer: break
        case .aes256: headers.append(("x-amz-server-side-encryption", "AES256"))
        case .kms(let keyID):
            headers.append(("x-amz-server-side-encryption", "aws:kms"))
            if let keyID { headers.append(("x-amz-server-side-encryption-aws-kms-key-id", keyID)) }
        }
        if let storageClass = configuration.storageClass { headers.append(("x-amz-storage-class", storageClass)) }
        return headers
    }
}
