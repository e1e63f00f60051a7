internal import CLZ4

/// Writes one LZ4 frame as WAL-G does: version 1, independent blocks, no content size, content checksum.
final class LZ4Encoder: StreamEncoder {
    private static let inputLimit = 256 << 10

    private let context: OpaquePointer
    private var preferences: LZ4F_preferences_t
    private var hasBegun = false
    let outputCapacity: Int

    init(blockSize: LZ4BlockSize) throws(CodecFailure) {
        preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID =
            switch blockSize {
            case .kib64: LZ4F_max64KB
            case .kib256: LZ4F_max256KB
            case .mib1: LZ4F_max1MB
            case .mib4: LZ4F_max4MB
            }
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        outputCapacity = LZ4F_compressBound(Self.inputLimit, &preferences) + 32
        var created: OpaquePointer?
        guard LZ4F_isError(LZ4F_createCompressionContext(&created, UInt32(LZ4F_VERSION))) == 0, let created else {
            throw CodecFailure(.outOfMemory, "no memory for an LZ4 encoder")
        }
        context = created
    }

    deinit { LZ4F_freeCompressionContext(context) }

    func step(
        _ input: UnsafeRawBufferPointer, finishing: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        if !hasBegun {
            hasBegun = true
            let count = try check(LZ4F_compressBegin(context, output.baseAddress, output.count, &preferences))
            return CodecStep(consumed: 0, produced: count, ended: false)
        }
        if finishing && input.isEmpty {
            let count = try check(LZ4F_compressEnd(context, output.baseAddress, output.count, nil))
            return CodecStep(consumed: 0, produced: count, ended: true)
        }
        let taken = min(input.count, Self.inputLimit)
        let count = try check(
            LZ4F_compressUpdate(context, output.baseAddress, output.count, input.baseAddress, taken, nil))
        return CodecStep(consumed: taken, produced: count, ended: false)
    }

    private func check(_ result: Int) throws(CodecFailure) -> Int {
        guard LZ4F_isError(result) == 0 else {
            throw CodecFailure(.outOfMemory, "liblz4: " + String(cString: LZ4F_getErrorName(result)))
        }
        return result
    }
}

/// Reads LZ4 frames of version 1 with any legal parameters, and skippable ones.
final class LZ4Decoder: StreamDecoder {
    private let context: OpaquePointer
    let readsManyFrames = true

    init() throws(CodecFailure) {
        var created: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))) == 0, let created else {
            throw CodecFailure(.outOfMemory, "no memory for an LZ4 decoder")
        }
        context = created
    }

    deinit { LZ4F_freeDecompressionContext(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        var consumed = input.count
        var produced = output.count
        let result = LZ4F_decompress(context, output.baseAddress, &produced, input.baseAddress, &consumed, nil)
        guard LZ4F_isError(result) == 0 else {
            let name = String(cString: LZ4F_getErrorName(result))
            switch name {
            case "ERROR_allocation_failed":
                throw CodecFailure(.outOfMemory, "no memory for an LZ4 block")
            case "ERROR_frameType_unknown":
                throw CodecFailure(.corrupted, "no LZ4 frame begins here; is the object encrypted or misnamed?")
            case "ERROR_contentChecksum_invalid":
                throw CodecFailure(.corrupted, "the content checksum is wrong: the data is damaged")
            default:
                throw CodecFailure(.corrupted, "the data is damaged (liblz4: \(name))")
            }
        }
        return CodecStep(consumed: consumed, produced: produced, ended: result == 0)
    }
}
