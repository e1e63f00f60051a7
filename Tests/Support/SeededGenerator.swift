/// Random numbers that are the same for the same seed: SplitMix64, by Sebastiano Vigna (public domain).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Bytes that do not compress.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: next().littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Bytes that compress about as database pages do: stretches of zeros, repeats and noise.
    package mutating func compressibleBytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 512)
        while result.count < count {
            let length = Int(next() % 256) + 16
            switch next() % 4 {
            case 0: result.append(contentsOf: repeatElement(0, count: length))
            case 1: result.append(contentsOf: bytes(length))
            default:
                let start = result.isEmpty ? 0 : Int(next() % UInt64(result.count))
                let copy = Array(result[start..<min(result.count, start + length)])
                result.append(contentsOf: copy.isEmpty ? bytes(length) : copy)
            }
        }
        result.removeLast(result.count - count)
        return result
    }
}
