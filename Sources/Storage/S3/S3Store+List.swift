import Bytes

extension S3Store {
    package func list(
        prefix listed: String, recursive: Bool, startAfter: String?, limit: Int?
    ) async throws -> Listing {
        var listing = Listing()
        var token: String?
        while true {
            let missing = limit.map { $0 - listing.objects.count - listing.folders.count }
            if let missing, missing <= 0 {
                listing.isTruncated = true
                break
            }
            var request = S3Request("LIST", ObjectKey(listed), method: "GET", object: nil)
            request.query = [("list-type", "2"), ("prefix", prefix + listed), ("encoding-type", "url")]
            if !recursive { request.query.append(("delimiter", "/")) }
            if let missing { request.query.append(("max-keys", String(min(missing, 1000)))) }
            if let token {
                request.query.append(("continuation-token", token))
            } else if let startAfter {
                request.query.append(("start-after", prefix + startAfter))
            }
            request.root = "ListBucketResult"
            request.limit = 64 << 20
            let reply = try await send(request)
            guard let document = reply.document else { break }
            let page = try ListPage(document, prefix: prefix, operation: "LIST", key: ObjectKey(listed))
            listing.objects += page.objects
            listing.folders += page.folders
            guard page.isTruncated else { break }
            guard let next = page.continuationToken, next != token else {
                throw StorageError(
                    .unavailable, operation: "LIST", key: ObjectKey(listed), status: reply.response.status,
                    requestID: reply.response["x-amz-request-id"],
                    detail: "the listing is cut off and the server does not say how to go on")
            }
            token = next
        }
        // S3 lists bytewise; some gateways do not, and folders may come apart over pages.
        listing.objects.sort { $0.key < $1.key }
        var seen: Set<String> = []
        listing.folders = listing.folders.filter { seen.insert($0).inserted }
        listing.folders.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return listing
    }
}

/// One answer to ListObjectsV2.
struct ListPage {
    private(set) var objects: [ObjectInfo] = []
    private(set) var folders: [String] = []
    let isTruncated: Bool
    let continuationToken: String?

    /// Keys are given below `prefix`; one outside of it, or an entry that cannot be read, is an error, because a listing
    /// that silently lacks keys is worse than none.
    init(_ document: XMLElement, prefix: String, operation: String, key: ObjectKey) throws(StorageError) {
        func fail(_ reason: String) -> StorageError {
            StorageError(.unavailable, operation: operation, key: key, detail: "the listing cannot be read: \(reason)")
        }
        let isEncoded = document["EncodingType"] == "url"
        func name(_ text: String?) throws(StorageError) -> String {
            guard let text, let name = isEncoded ? PercentEncoding.decode(text) : text else {
                throw fail("a key is missing or wrongly encoded")
            }
            guard name.utf8.starts(with: prefix.utf8) else { throw fail("\"\(name)\" is outside of \"\(prefix)\"") }
            return String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        }
        for child in document.children {
            switch child.name {
            case "Contents":
                let key = try name(child["Key"])
                guard let size = child["Size"].flatMap({ Int($0) }), size >= 0 else { throw fail("no size of \(key)") }
                guard let modified = child["LastModified"].flatMap({ Timestamp(rfc3339: $0) }) else {
                    throw fail("no time of \(key)")
                }
                objects.append(
                    ObjectInfo(
                        key: ObjectKey(key), byteCount: size, modified: Timestamp(seconds: modified.seconds),
                        etag: child["ETag"].map(S3Store.quoted)))
            case "CommonPrefixes": folders.append(try name(child["Prefix"]))
            default: break
            }
        }
        guard let truncated = document["IsTruncated"], truncated == "true" || truncated == "false" else {
            throw fail("it does not say whether it is whole")
        }
        isTruncated = truncated == "true"
        continuationToken = document["NextContinuationToken"]
    }
}
