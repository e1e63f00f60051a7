private import CKernels

/// CRC-32C (Castagnoli), as PostgreSQL, S3 and iSCSI use it (RFC 3720, B.4).
package struct CRC32C: Equatable, Sendable {
    /// The checksum of everything added so far.
    package private(set) var value: UInt32

    /// Starts empty, or continues from a value computed earlier.
    package init(continuing value: UInt32 = 0) { self.value = value }

    package mutating func update(_ bytes: RawSpan) {
        value = bytes.withUnsafeBytes { kernels_crc32c(value, $0.baseAddress, $0.count) }
    }

    package static func checksum(_ bytes: RawSpan) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }
}
