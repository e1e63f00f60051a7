import Bytes

extension S3Store {
    package func unfinishedUploads(prefix listed: String) async throws -> [UnfinishedUpload] {
        var uploads: [UnfinishedUpload] = []
        var marker: UploadPage.Marker?
        while true {
            var request = S3Request("list uploads", ObjectKey(listed), method: "GET", object: nil)
            // Without encoding-type: Ceph RGW 20 then encodes the keys and does not say so.
            request.query = [("uploads", ""), ("prefix", prefix + listed)]
            if let marker {
                request.query.append(("key-marker", marker.key))
                request.query.append(("upload-id-marker", marker.uploadID))
            }
            request.root = "ListMultipartUploadsResult"
            request.limit = 64 << 20
            let reply = try await send(request)
            guard let document = reply.document else { return uploads }
            let page = try UploadPage(document, prefix: prefix, key: ObjectKey(listed))
            uploads += page.uploads
            guard page.isTruncated else { return uploads }
            guard let next = page.next, next != marker else {
                throw StorageError(
                    .unavailable, operation: "list uploads", key: ObjectKey(listed), status: reply.response.status,
                    requestID: reply.response["x-amz-request-id"],
                    detail: "the listing is cut off and the server does not say how to go on")
            }
            marker = next
        }
    }

    package func abandon(_ upload: UnfinishedUpload) async throws {
        var request = request("abort upload", upload.key, method: "DELETE")
        request.query = [("uploadId", upload.uploadID)]
        do {
            _ = try await send(request)
        } catch {
            // One that is not there was ended by somebody else in between.
            guard error.serverCode == "NoSuchUpload" else { throw error }
        }
    }
}

/// One answer to ListMultipartUploads.
struct UploadPage {
    /// The last upload of a page.
    struct Marker: Equatable {
        let key: String
        let uploadID: String
    }

    private(set) var uploads: [UnfinishedUpload] = []
    let isTruncated: Bool
    /// Where the next page begins.
    private(set) var next: Marker?

    /// Keys are given below `prefix`.
    ///
    /// Uploads of other keys, which some servers list when the prefix is a whole key, are left out.
    init(_ document: XMLElement, prefix: String, key: ObjectKey) throws(StorageError) {
        let isEncoded = document["EncodingType"] == "url"
        func fail(_ reason: String) -> StorageError {
            StorageError(
                .unavailable, operation: "list uploads", key: key, detail: "the listing cannot be read: \(reason)")
        }
        func name(_ text: String?) throws(StorageError) -> String {
            guard let text, let name = isEncoded ? PercentEncoding.decode(text) : text else {
                throw fail("a key is missing or wrongly encoded")
            }
            return name
        }
        for child in document.children("Upload") {
            let name = try name(child["Key"])
            guard let uploadID = child["UploadId"], !uploadID.isEmpty else { throw fail("no upload id of \(name)") }
            guard let begun = child["Initiated"].flatMap({ Timestamp(rfc3339: $0) }) else {
                throw fail("no time of \(name)")
            }
            guard name.utf8.starts(with: (prefix + key.text).utf8) else { continue }
            let below = String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
            uploads.append(UnfinishedUpload(key: ObjectKey(below), uploadID: uploadID, begun: begun))
        }
        guard let truncated = document["IsTruncated"], truncated == "true" || truncated == "false" else {
            throw fail("it does not say whether it is whole")
        }
        isTruncated = truncated == "true"
        guard isTruncated, let uploadID = document["NextUploadIdMarker"] else { return }
        next = Marker(key: try name(document["NextKeyMarker"]), uploadID: uploadID)
    }
}
