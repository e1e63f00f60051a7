import Bytes
import Digests

/// What is known of a multipart upload.
struct UploadState: Sendable {
    var uploadID: String?
    /// Entity tags as the server gave them, by part number.
    var etags: [Int: String] = [:]
    private(set) var partCount = 0
    private(set) var byteCount = 0
    private var lastWasFull = true

    /// S3's limit.
    static let partLimit = 10_000

    /// Refuses a part that cannot follow.
    mutating func checkNext(_ part: Part, _ key: ObjectKey) throws(StorageError) {
        precondition(lastWasFull, "only the last part of an upload may be short")
        lastWasFull = part.isFull
        guard partCount < Self.partLimit else {
            throw StorageError(
                .invalidRequest, operation: "PUT part \(partCount + 1)", key: key,
                detail: "the object needs more than \(Self.partLimit) parts; use larger parts")
        }
    }

    /// The part's number, counted from 1.
    mutating func next(_ part: Part) -> Int {
        partCount += 1
        byteCount += part.count
        return partCount
    }

    /// The body of CompleteMultipartUpload.
    var document: String {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for (number, etag) in etags.sorted(by: { $0.key < $1.key }) {
            text += "<Part><PartNumber>\(number)</PartNumber><ETag>\(XMLElement.escape(etag))</ETag></Part>"
        }
        return text + "</CompleteMultipartUpload>"
    }

    /// The entity tag of the finished object, where the parts' are MD5 digests; nil where they are not.
    var etag: String? {
        var joined: [UInt8] = []
        for (_, etag) in etags.sorted(by: { $0.key < $1.key }) {
            guard let digest = Hex.decode(etag.filter { $0 != "\"" }), digest.count == 16 else { return nil }
            joined += digest
        }
        return Hex.encode(MessageDigest.md5(joined.span.bytes)) + "-\(partCount)"
    }
}
