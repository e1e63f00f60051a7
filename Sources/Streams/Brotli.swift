internal import CBrotli

/// Writes a brotli stream as WAL-G does: quality 3, window of 22 bits.
///
/// Brotli has no checksum: damage in an unencrypted object can go unnoticed by any reader.
final class BrotliEncoder: StreamEncoder {
    private let state: OpaquePointer
    let outputCapacity = 128 << 10

    init() throws(CodecFailure) {
        guard let created = BrotliEncoderCreateInstance(nil, nil, nil) else {
            throw CodecFailure(.outOfMemory, "no memory for a brotli encoder")
        }
        state = created
        BrotliEncoderSetParameter(created, BROTLI_PARAM_QUALITY, 3)
        BrotliEncoderSetParameter(created, BROTLI_PARAM_LGWIN, 22)
    }

    deinit { BrotliEncoderDestroyInstance(state) }

    func step(
        _ input: UnsafeRawBufferPointer, finishing: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        var inputCount = input.count
        var nextInput = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var outputCount = output.count
        var nextOutput = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let operation = finishing ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS
        guard
            BrotliEncoderCompressStream(
                state, operation, &inputCount, &nextInput, &outputCount, &nextOutput, nil) != 0
        else { throw CodecFailure(.outOfMemory, "the brotli encoder failed, for want of memory") }
        return CodecStep(
            consumed: input.count - inputCount, produced: output.count - outputCount,
            ended: finishing && BrotliEncoderIsFinished(state) != 0)
    }
}

/// Reads one brotli stream (RFC 7932: windows up to 16 MiB) to its very end.
final class BrotliDecoder: StreamDecoder {
    private let state: OpaquePointer
    let readsManyFrames = false

    init() throws(CodecFailure) {
        guard let created = BrotliDecoderCreateInstance(nil, nil, nil) else {
            throw CodecFailure(.outOfMemory, "no memory for a brotli decoder")
        }
        state = created
    }

    deinit { BrotliDecoderDestroyInstance(state) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        var inputCount = input.count
        var nextInput = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var outputCount = output.count
        var nextOutput = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let result = BrotliDecoderDecompressStream(
            state, &inputCount, &nextInput, &outputCount, &nextOutput, nil)
        guard result != BROTLI_DECODER_RESULT_ERROR else {
            let code = BrotliDecoderGetErrorCode(state)
            // BROTLI_DECODER_ERROR_ALLOC_*, brotli/decode.h.
            guard !(-30 ... -21).contains(code.rawValue) else {
                throw CodecFailure(.outOfMemory, "no memory for the brotli window")
            }
            let name = String(cString: BrotliDecoderErrorString(code))
            throw CodecFailure(
                .corrupted, "the data is damaged, encrypted or misnamed (libbrotli: \(name))")
        }
        return CodecStep(
            consumed: input.count - inputCount, produced: output.count - outputCount,
            ended: result == BROTLI_DECODER_RESULT_SUCCESS)
    }
}
