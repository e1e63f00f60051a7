package import Bytes
import Digests

/// AWS Signature Version 4, in an `Authorization` header.
///
/// Source: AWS, "Create a signed AWS API request".
package enum SigV4 {
    /// SHA-256 of nothing, in hex.
    package static let emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// `20150830T123600Z`, the form of `x-amz-date`.
    package static func stamp(_ time: Timestamp) -> String {
        let civil = time.civil()
        let clock = twoDigits(civil.hour) + twoDigits(civil.minute) + twoDigits(civil.second)
        return "\(day(civil))T\(clock)Z"
    }

    /// The value of the `Authorization` header for the request; `headers` are those to sign, `host` among them.
    package static func authorization(
        for request: CanonicalRequest, at time: Timestamp, region: String, service: String = "s3",
        credentials: Credentials
    ) -> String {
        let scope = "\(day(time.civil()))/\(region)/\(service)/aws4_request"
        let signature = signature(
            of: stringToSign(for: request, at: time, scope: scope), at: time, region: region, service: service,
            secretKey: credentials.secretKey)
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), "
            + "SignedHeaders=\(request.signedHeaders), Signature=\(signature)"
    }

    /// The text whose HMAC is the signature.
    static func stringToSign(for request: CanonicalRequest, at time: Timestamp, scope: String) -> String {
        let hash = Hex.encode(MessageDigest.sha256(Array(request.text.utf8).span.bytes))
        return "AWS4-HMAC-SHA256\n\(stamp(time))\n\(scope)\n\(hash)"
    }

    private static func signature(
        of text: String, at time: Timestamp, region: String, service: String, secretKey: Secret
    ) -> String {
        var key = Array("AWS4\(secretKey.revealed)".utf8)
        for step in [day(time.civil()), region, service, "aws4_request", text] {
            key = MessageDigest.hmacSHA256(key: key, Array(step.utf8).span.bytes)
        }
        return Hex.encode(key)
    }

    private static func day(_ civil: CivilTime) -> String {
        String(civil.year) + twoDigits(civil.month) + twoDigits(civil.day)
    }
}
