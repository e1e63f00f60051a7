package import Bytes
internal import CCrypto

/// A running SHA-256 (FIPS 180-4) or MD5 (RFC 1321), through OpenSSL's EVP.
package final class MessageDigest {
    package enum Algorithm: Sendable { case sha256, md5 }

    private let context: OpaquePointer
    private let algorithm: Algorithm

    package init(_ algorithm: Algorithm = .sha256) {
        self.algorithm = algorithm
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory for a digest context") }
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    private func start() {
        let type = algorithm == .sha256 ? EVP_sha256() : EVP_md5()
        precondition(EVP_DigestInit_ex(context, type, nil) == 1, "OpenSSL does not offer the digest")
    }

    package func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { buffer in
            guard buffer.count > 0 else { return }
            precondition(EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) == 1)
        }
    }

    /// The digest of everything added; the value then starts anew.
    package func finish() -> [UInt8] {
        var length: UInt32 = 0
        var digest = [UInt8](repeating: 0, count: algorithm == .sha256 ? 32 : 16)
        let status = digest.withUnsafeMutableBufferPointer { EVP_DigestFinal_ex(context, $0.baseAddress, &length) }
        precondition(status == 1 && Int(length) == digest.count)
        start()
        return digest
    }

    package static func sha256(_ bytes: RawSpan) -> [UInt8] {
        let digest = MessageDigest(.sha256)
        digest.update(bytes)
        return digest.finish()
    }

    package static func sha256(_ parts: [Part]) -> [UInt8] {
        let digest = MessageDigest(.sha256)
        for part in parts { part.withBytes { digest.update($0) } }
        return digest.finish()
    }

    package static func md5(_ bytes: RawSpan) -> [UInt8] {
        let digest = MessageDigest(.md5)
        digest.update(bytes)
        return digest.finish()
    }

    /// HMAC-SHA-256 (RFC 2104).
    package static func hmacSHA256(key: [UInt8], _ bytes: RawSpan) -> [UInt8] {
        var length: UInt32 = 0
        var digest = [UInt8](repeating: 0, count: 32)
        let result = key.withUnsafeBufferPointer { key in
            bytes.withUnsafeBytes { input in
                digest.withUnsafeMutableBufferPointer { output in
                    HMAC(
                        EVP_sha256(), key.baseAddress, Int32(key.count),
                        input.baseAddress?.assumingMemoryBound(to: UInt8.self), input.count, output.baseAddress,
                        &length)
                }
            }
        }
        precondition(result != nil && length == 32)
        return digest
    }
}
