import Bytes

extension S3Store {
    /// Makes the object of the parts that were sent.
    func complete(
        _ uploadID: String, _ key: ObjectKey, _ options: PutOptions, _ state: UploadState
    ) async throws(StorageError) -> ObjectInfo {
        var request = request("complete upload", key, method: "POST")
        request.query = [("uploadId", uploadID)]
        // Ceph RGW wants a customer's key here too.
        request.headers = readingHeaders + [("content-type", "application/xml")]
        request.carry(Array(state.document.utf8), withChecksum: false)
        request.root = "CompleteMultipartUploadResult"
        // Servers may put a large object together for minutes.
        request.stallLimit = .seconds(300)
        if options.mustNotExist {
            if try await exists(key) { throw alreadyExists(key, nil) }
            if compatibility.conditionalPut { request.headers.append(("if-none-match", "*")) }
        }
        let reply: S3Reply
        do {
            reply = try await client.send(request)
        } catch {
            if error.mayHaveBeenCarriedOut, error.error.kind != .cancelled, let info = try await finished(key, state) {
                return info
            }
            throw error.error.kind == .preconditionFailed ? alreadyExists(key, error.error) : error.error
        }
        if options.mustNotExist, !compatibility.conditionalComplete {
            guard try await finished(key, state) != nil else { throw alreadyExists(key, nil) }
        }
        // Ceph RGW 16 leaves the tag empty.
        let etag = reply.document?["ETag"] ?? ""
        return ObjectInfo(
            key: key, byteCount: state.byteCount,
            modified: reply.response["date"].flatMap(HTTPDate.parse) ?? client.clock.now(),
            etag: (etag.isEmpty ? state.etag : etag).map(Self.quoted))
    }

    /// What is stored under the key, when it is what this upload made; nil when it is something else or nothing.
    ///
    /// Told by the size and the entity tag, "MD5 of the parts' MD5s-number of parts". Where the parts' tags are no MD5
    /// digests (SSE-KMS, SSE-C), size and number of parts must do.
    private func finished(_ key: ObjectKey, _ state: UploadState) async throws(StorageError) -> ObjectInfo? {
        let reply: S3Reply
        do {
            reply = try await head(key)
        } catch let error where error.kind == .notFound {
            return nil
        }
        let found = try info(key, reply, byteCount: Self.length(reply.response))
        guard found.byteCount == state.byteCount, let etag = found.etag?.filter({ $0 != "\"" }) else { return nil }
        switch configuration.encryption {
        case .none, .aes256:
            if let expected = state.etag { return etag.lowercased() == expected ? found : nil }
        case .kms, .customer: break
        }
        return etag.hasSuffix("-\(state.partCount)") ? found : nil
    }
}
