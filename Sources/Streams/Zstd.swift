internal import CZstd

/// Writes one zstd frame with a content checksum; the window is at most 4 MiB (level `best`).
final class ZstdEncoder: StreamEncoder {
    private let context: OpaquePointer
    let outputCapacity = ZSTD_CStreamOutSize()

    init(level: ZstdLevel) throws(CodecFailure) {
        guard let created = ZSTD_createCCtx() else {
            throw CodecFailure(.outOfMemory, "no memory for a zstd encoder")
        }
        context = created
        ZSTD_CCtx_setParameter(created, ZSTD_c_compressionLevel, level.number)
        ZSTD_CCtx_setParameter(created, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, finishing: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let rest = ZSTD_compressStream2(context, &target, &source, finishing ? ZSTD_e_end : ZSTD_e_continue)
        guard ZSTD_isError(rest) == 0 else {
            throw CodecFailure(.outOfMemory, "libzstd: " + String(cString: ZSTD_getErrorName(rest)))
        }
        return CodecStep(consumed: source.pos, produced: target.pos, ended: finishing && rest == 0)
    }
}

/// Reads zstd frames with windows up to 128 MiB, and skippable ones.
final class ZstdDecoder: StreamDecoder {
    private let context: OpaquePointer
    let readsManyFrames = true

    init() throws(CodecFailure) {
        guard let created = ZSTD_createDCtx() else {
            throw CodecFailure(.outOfMemory, "no memory for a zstd decoder")
        }
        context = created
        ZSTD_DCtx_setParameter(created, ZSTD_d_windowLogMax, 27)
    }

    deinit { ZSTD_freeDCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &target, &source)
        guard ZSTD_isError(result) == 0 else {
            switch ZSTD_getErrorCode(result) {
            case ZSTD_error_memory_allocation:
                throw CodecFailure(.outOfMemory, "no memory for the zstd window")
            case ZSTD_error_frameParameter_windowTooLarge:
                throw CodecFailure(
                    .unsupported, "the frame wants a window of more than 128 MiB; recompress it without --long")
            case ZSTD_error_dictionary_wrong:
                throw CodecFailure(.unsupported, "the frame needs a dictionary")
            case ZSTD_error_prefix_unknown:
                throw CodecFailure(.corrupted, "no zstd frame begins here; is the object encrypted or misnamed?")
            case ZSTD_error_checksum_wrong:
                throw CodecFailure(.corrupted, "the content checksum is wrong: the data is damaged")
            default:
                let name = String(cString: ZSTD_getErrorName(result))
                throw CodecFailure(.corrupted, "the data is damaged (libzstd: \(name))")
            }
        }
        return CodecStep(consumed: source.pos, produced: target.pos, ended: result == 0)
    }
}
