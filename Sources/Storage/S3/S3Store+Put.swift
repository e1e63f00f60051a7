package import Bytes
import Digests

extension S3Store {
    package func put(_ bytes: [UInt8], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await put(.bytes(bytes), at: key, options)
    }

    package func put(_ parts: [Part], at key: ObjectKey, _ options: PutOptions) async throws -> ObjectInfo {
        try await put(.parts(parts), at: key, options)
    }

    private func put(_ body: HTTPBody, at key: ObjectKey, _ options: PutOptions) async throws(StorageError)
        -> ObjectInfo
    {
        var request = request("PUT", key, method: "PUT")
        request.headers = creatingHeaders
        switch body {
        case .none: request.carry([UInt8](), withChecksum: compatibility.checksums)
        case .bytes(let bytes): request.carry(bytes, withChecksum: compatibility.checksums)
        case .parts(let parts): request.carry(parts, withChecksum: compatibility.checksums)
        }
        guard options.mustNotExist else { return try await stored(key, send(request), body) }
        guard compatibility.conditionalPut else { return try await putWithChecks(request, body, at: key) }
        request.headers.append(("if-none-match", "*"))
        // libcurl tells of a silent second try only when it had to rewind a body.
        request.needsFreshConnection = body.byteCount == 0
        let reply: S3Reply
        do {
            reply = try await client.send(request)
        } catch {
            guard error.error.kind == .preconditionFailed else { throw error.error }
            // After a lost answer, the object in the way may be the one that we have stored ourselves.
            if error.mayHaveBeenCarriedOut, let info = try await ours(key, body) { return info }
            throw alreadyExists(key, error.error)
        }
        return try stored(key, reply, body)
    }

    /// For servers without conditional writes: no request can do it, so two look before and after.
    ///
    /// Two writers within the same instant are not told apart before, but the one whose bytes were replaced learns it.
    private func putWithChecks(_ request: S3Request, _ body: HTTPBody, at key: ObjectKey) async throws(StorageError)
        -> ObjectInfo
    {
        if try await exists(key) { throw alreadyExists(key, nil) }
        let info = try await stored(key, send(request), body)
        guard try await ours(key, body) != nil else { throw alreadyExists(key, nil) }
        return info
    }

    private func stored(_ key: ObjectKey, _ reply: S3Reply, _ body: HTTPBody) throws(StorageError) -> ObjectInfo {
        try info(key, reply, byteCount: body.byteCount)
    }

    func exists(_ key: ObjectKey) async throws(StorageError) -> Bool {
        do {
            _ = try await head(key)
            return true
        } catch let error where error.kind == .notFound {
            return false
        }
    }

    func alreadyExists(_ key: ObjectKey, _ cause: StorageError?) -> StorageError {
        StorageError(
            .alreadyExists, operation: "PUT", key: key, status: cause?.status, serverCode: cause?.serverCode,
            requestID: cause?.requestID, attempts: cause?.attempts ?? 1,
            detail: "an object of this name is stored already and was left as it is")
    }

    /// What is stored under the key, when it is `body`; nil when it is something else or nothing.
    private func ours(_ key: ObjectKey, _ body: HTTPBody) async throws(StorageError) -> ObjectInfo? {
        let reply: S3Reply
        do {
            reply = try await head(key)
        } catch let error where error.kind == .notFound {
            return nil
        }
        let found = try info(key, reply, byteCount: Self.length(reply.response))
        guard found.byteCount == body.byteCount else { return nil }
        if let checksum = Self.wholeChecksum(reply.response) {
            return checksum == S3Request.encoded(body.checksum) ? found : nil
        }
        // An entity tag that is no MD5 (SSE-KMS, SSE-C, other servers) shows nothing; the bytes do.
        if let etag = found.etag, etag.filter({ $0 != "\"" }).lowercased() == Hex.encode(body.md5) { return found }
        var request = request("GET", key, method: "GET")
        request.headers = readingHeaders
        request.limit = body.byteCount
        let stored = try await send(request).response.body
        return MessageDigest.sha256(stored.span.bytes) == body.sha256 ? found : nil
    }
}

extension HTTPBody {
    fileprivate func read(_ take: (RawSpan) -> Void) {
        switch self {
        case .none: break
        case .bytes(let bytes): take(bytes.span.bytes)
        case .parts(let parts): for part in parts { part.withBytes { take($0) } }
        }
    }

    fileprivate var checksum: UInt32 {
        var checksum = CRC32C()
        read { checksum.update($0) }
        return checksum.value
    }

    fileprivate var md5: [UInt8] { digest(.md5) }
    fileprivate var sha256: [UInt8] { digest(.sha256) }

    private func digest(_ algorithm: MessageDigest.Algorithm) -> [UInt8] {
        let digest = MessageDigest(algorithm)
        read { digest.update($0) }
        return digest.finish()
    }
}
