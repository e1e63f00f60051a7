import Bytes

/// One attempt that did not succeed, read as far as it can be read.
struct S3Fault: Error {
    let cause: AttemptFailure
    let kind: StorageError.Kind
    var status: Int?
    var serverCode: String?
    var requestID: String?
    var retryAfter: Duration?
    /// The server's clock, from the `Date` header.
    var serverTime: Timestamp?
    var detail: String

    init(cause: AttemptFailure, kind: StorageError.Kind, detail: String) {
        self.cause = cause
        self.kind = kind
        self.detail = detail
    }

    /// Tells good answers from others; for requests that name a root element, an answer is good only with it, since S3
    /// reports late errors in the body of a 200.
    static func judge(
        _ result: Result<HTTPResponse, TransferError>, of request: S3Request, place: String
    ) -> Result<(HTTPResponse, XMLElement?), S3Fault> {
        switch result {
        case .failure(let error): return .failure(S3Fault(error, of: request, place: place))
        case .success(let response):
            let isGood = (200..<300).contains(response.status)
            let document = isGood && request.root == nil ? nil : try? XMLElement(parsing: response.body)
            guard isGood else {
                return .failure(S3Fault(response, document, of: request, place: place))
            }
            if document?.name == "Error" {
                return .failure(S3Fault(response, document, of: request, place: place))
            }
            if let root = request.root {
                guard let document, document.name == root else {
                    return .failure(incomplete(response, "the answer is no <\(root)> document"))
                }
                return .success((response, document))
            }
            return .success((response, nil))
        }
    }

    /// An answer about another version of the object than the one asked for.
    init(changed response: HTTPResponse) {
        self.init(
            cause: .answer(status: response.status, code: nil), kind: .preconditionFailed,
            detail: "the object changed while it was being read")
        status = response.status
        requestID = response["x-amz-request-id"]
    }

    /// A good status with less, or something else, than was asked for.
    private static func incomplete(_ response: HTTPResponse, _ detail: String) -> S3Fault {
        var fault = S3Fault(cause: .incomplete, kind: .unavailable, detail: detail)
        fault.status = response.status
        fault.requestID = response["x-amz-request-id"]
        return fault
    }

    private init(_ error: TransferError, of request: S3Request, place: String) {
        switch error.kind {
        case .cancelled: self.init(cause: .transfer(.cancelled), kind: .cancelled, detail: "cancelled")
        case .tooLong:
            self.init(
                cause: .transfer(.tooLong), kind: .invalidRequest,
                detail: request.part == nil
                    ? "the object is longer than the \(request.limit) bytes that are taken here"
                    : "the server sends more than the bytes asked for; it does not know ranges")
        case .untrusted:
            self.init(
                cause: .transfer(.untrusted), kind: .invalidRequest,
                detail: "\(place): \(error.reason); when the server's certificate is signed by a CA of your own, "
                    + "name its file")
        case .malformed:
            self.init(cause: .transfer(.malformed), kind: .invalidRequest, detail: "\(place): \(error.reason)")
        case .unresolved, .refused, .timedOut, .reset, .truncated:
            self.init(
                cause: .transfer(error.kind), kind: .unavailable, detail: "no answer from \(place): \(error.reason)")
        }
    }

    private init(_ response: HTTPResponse, _ document: XMLElement?, of request: S3Request, place: String) {
        let code = document?.name == "Error" ? document?["Code"] : nil
        let kind = Self.kind(status: response.status, code: code, isHead: request.method == "HEAD")
        let message = document?.name == "Error" ? document?["Message"] : nil
        var detail = message.flatMap { $0.isEmpty ? nil : $0 } ?? "answered with status \(response.status)"
        let region = response["x-amz-bucket-region"] ?? document?["Region"]
        if let hint = Self.hint(
            status: response.status, code: code, kind: kind, region: region, isRead: request.range != nil)
        {
            detail += "; " + hint
        }
        self.init(cause: .answer(status: response.status, code: code), kind: kind, detail: detail)
        status = response.status
        serverCode = code
        requestID = response["x-amz-request-id"] ?? document?["RequestId"]
        serverTime = response["date"].flatMap(HTTPDate.parse)
        if let text = response["retry-after"] {
            if let seconds = Int(text), (0...86400).contains(seconds) {
                retryAfter = .seconds(seconds)
            } else if let until = HTTPDate.parse(text), let serverTime {
                retryAfter = max(.zero, serverTime.duration(to: until))
            }
        }
    }

    /// What the caller can act on.
    ///
    /// A 404 is believed only when it carries S3's own words (a HEAD has none): a proxy's 404 proves no absence.
    static func kind(status: Int, code: String?, isHead: Bool) -> StorageError.Kind {
        switch (status, code) {
        case (_, "NoSuchKey"): .notFound
        case (_, "NoSuchBucket"): .noSuchBucket
        case (_, "QuotaExceeded"), (507, _), (_, "XMinioStorageFull"): .noSpace
        case (_, "SlowDown"), (429, _), (_, "Throttling"), (_, "TooManyRequests"), (_, "RequestLimitExceeded"):
            .throttled
        case (_, "BadDigest"), (_, "XAmzContentSHA256Mismatch"), (_, "InvalidDigest"): .corrupted
        case (_, "ConditionalRequestConflict"), (_, "OperationAborted"), (_, "RequestTimeout"), (408, _): .unavailable
        case (_, "ExpiredToken"), (_, "InvalidToken"), (401, _), (403, _): .permissionDenied
        case (404, nil): isHead ? .notFound : .unavailable
        case (412, _): .preconditionFailed
        case (501, _): .invalidRequest
        case (500..., _), (200..<300, _): .unavailable
        default: .invalidRequest
        }
    }

    private static func hint(status: Int, code: String?, kind: StorageError.Kind, region: String?, isRead: Bool)
        -> String?
    {
        switch (status, code) {
        case (_, "SignatureDoesNotMatch"): "check the secret key"
        case (_, "InvalidAccessKeyId"): "check the access key"
        case (_, "RequestTimeTooSkewed"): "set this machine's clock"
        case (_, "ExpiredToken"): "the session has ended, get new credentials"
        case (301, _), (307, _), (_, "AuthorizationHeaderMalformed"), (_, "PermanentRedirect"):
            region.map { "the bucket's region is \($0)" } ?? "check the region and the endpoint"
        case (412, _) where isRead: "the object changed while it was being read"
        case (_, "NoSuchBucket"): "create the bucket, or correct the prefix"
        case (404, nil) where kind == .unavailable: "that is not an S3 server's answer; check the endpoint"
        case (_, "NoSuchUpload"): "somebody has aborted or completed the upload"
        default: nil
        }
    }
}
