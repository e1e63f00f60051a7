internal import CLZMA

/// An `lzma_stream` at a fixed address, ended exactly once.
private final class LZMAStream {
    let pointer: UnsafeMutablePointer<lzma_stream>

    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: lzma_stream())
    }

    deinit {
        lzma_end(pointer)
        pointer.deallocate()
    }

    func code(
        _ input: UnsafeRawBufferPointer, _ action: lzma_action, into output: UnsafeMutableRawBufferPointer
    ) -> (step: CodecStep, status: lzma_ret) {
        pointer.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.avail_in = input.count
        pointer.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.avail_out = output.count
        let status = lzma_code(pointer, action)
        let step = CodecStep(
            consumed: input.count - pointer.pointee.avail_in, produced: output.count - pointer.pointee.avail_out,
            ended: status == LZMA_STREAM_END)
        return (step, status)
    }
}

/// Writes the legacy `.lzma` container as WAL-G does: properties 0x5D, dictionary 8 MiB, unknown size, end marker.
///
/// The fast match finder of preset 3 is used: preset 6, whose dictionary is as large, takes thrice the time.
final class LZMAEncoder: StreamEncoder {
    private let stream = LZMAStream()
    let outputCapacity = 128 << 10

    init() throws(CodecFailure) {
        var options = lzma_options_lzma()
        guard lzma_lzma_preset(&options, 3) == 0 else {
            throw CodecFailure(.unsupported, "liblzma does not know preset 3")
        }
        options.dict_size = 8 << 20
        guard lzma_alone_encoder(stream.pointer, &options) == LZMA_OK else {
            throw CodecFailure(.outOfMemory, "no memory for an LZMA encoder")
        }
    }

    func step(
        _ input: UnsafeRawBufferPointer, finishing: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        let (step, status) = stream.code(input, finishing ? LZMA_FINISH : LZMA_RUN, into: output)
        guard status == LZMA_OK || status == LZMA_STREAM_END else {
            throw CodecFailure(.outOfMemory, "liblzma failed with code \(status.rawValue)")
        }
        return step
    }
}

/// Reads one `.lzma` stream with a dictionary up to 128 MiB to its very end.
///
/// The format has no checksum, but its range coder must come out even at the end marker.
final class LZMADecoder: StreamDecoder {
    // The dictionary and room for the decoder's tables.
    private static let memoryLimit: UInt64 = 129 << 20

    private let stream = LZMAStream()
    let readsManyFrames = false

    init() throws(CodecFailure) {
        guard lzma_alone_decoder(stream.pointer, Self.memoryLimit) == LZMA_OK else {
            throw CodecFailure(.outOfMemory, "no memory for an LZMA decoder")
        }
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        let (step, status) = stream.code(input, LZMA_RUN, into: output)
        switch status {
        case LZMA_OK, LZMA_STREAM_END, LZMA_BUF_ERROR:
            return step
        case LZMA_MEMLIMIT_ERROR:
            throw CodecFailure(.unsupported, "the stream wants a dictionary of more than 128 MiB")
        case LZMA_MEM_ERROR:
            throw CodecFailure(.outOfMemory, "no memory for the LZMA dictionary")
        case LZMA_FORMAT_ERROR, LZMA_OPTIONS_ERROR:
            throw CodecFailure(.corrupted, "no LZMA stream begins here; is the object encrypted or misnamed?")
        default:
            throw CodecFailure(.corrupted, "the data is damaged (liblzma code \(status.rawValue))")
        }
    }
}
