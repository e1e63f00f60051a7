/// Little-endian integers, unaligned: the byte order of every server this program knows.
///
/// Bounds are checked; any bit pattern is an integer, hence nothing unsafe is left.
extension RawSpan {
    @inline(__always)
    func uint16(at offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always)
    func uint64(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    func uint8(at offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// Whether every byte is 0.
    var isZero: Bool {
        var offset = 0
        var bits: UInt64 = 0
        while offset + 64 <= byteCount {
            for word in 0..<8 { bits |= uint64(at: offset + word * 8) }
            guard bits == 0 else { return false }
            offset += 64
        }
        while offset < byteCount {
            guard uint8(at: offset) == 0 else { return false }
            offset += 1
        }
        return true
    }
}

extension [UInt8] {
    /// Appends a copy of `bytes`.
    mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
