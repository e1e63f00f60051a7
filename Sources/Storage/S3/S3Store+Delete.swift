import Bytes
import Digests

extension S3Store {
    package func delete(_ keys: [ObjectKey]) async throws -> [DeleteFailure] {
        var failures: [DeleteFailure] = []
        let batched = compatibility.batchDelete && keys.count > 1 ? keys.filter { Self.fitsXML($0.text) } : []
        var start = 0
        while start < batched.count {
            let end = min(start + 1000, batched.count)
            failures += try await deleteBatch(Array(batched[start..<end]))
            start = end
        }
        let single = batched.isEmpty ? keys : keys.filter { !Self.fitsXML($0.text) }
        for key in single {
            do {
                _ = try await send(request("DELETE", key, method: "DELETE"))
            } catch {
                switch error.kind {
                case .notFound: break
                case .permissionDenied, .preconditionFailed: failures.append(DeleteFailure(key: key, error: error))
                default: throw error
                }
            }
        }
        return failures
    }

    private func deleteBatch(_ keys: [ObjectKey]) async throws(StorageError) -> [DeleteFailure] {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        text += "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
        for key in keys { text += "<Object><Key>\(XMLElement.escape(prefix + key.text))</Key></Object>" }
        text += "</Delete>"
        let body = Array(text.utf8)
        var request = S3Request("DELETE \(keys.count) objects", "", method: "POST", object: nil)
        request.query = [("delete", "")]
        request.headers = [
            ("content-md5", Base64.encode(MessageDigest.md5(body.span.bytes))), ("content-type", "application/xml"),
        ]
        request.carry(body, withChecksum: false)
        request.root = "DeleteResult"
        request.limit = 16 << 20
        let reply = try await send(request)
        let requestID = reply.response["x-amz-request-id"]
        var failures: [DeleteFailure] = []
        for failed in reply.document?.children("Error") ?? [] {
            let code = failed["Code"]
            if code == "NoSuchKey" { continue }
            let name = failed["Key"] ?? ""
            let key = ObjectKey(
                name.utf8.starts(with: prefix.utf8)
                    ? String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : name)
            let kind =
                code == "AccessDenied" ? .permissionDenied : S3Fault.kind(status: 200, code: code, isHead: false)
            let error = StorageError(
                kind, operation: "DELETE", key: key, serverCode: code, requestID: requestID, attempts: reply.attempts,
                detail: failed["Message"] ?? "not deleted")
            failures.append(DeleteFailure(key: key, error: error))
        }
        return failures
    }

    /// True when XML 1.0 can hold every character of the key.
    private static func fitsXML(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                || scalar == "\t" || scalar == "\n" || scalar == "\r"
        }
    }
}
