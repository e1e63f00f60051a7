internal import CZlib

/// Reads gzip members (RFC 1952), for objects of other tools; never written.
final class GzipDecoder: StreamDecoder {
    // zlib keeps a pointer back to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    let readsManyFrames = true

    init() throws(CodecFailure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for "gzip only".
        guard czlib_inflate_init2(stream, 15 + 16) == Z_OK else {
            throw CodecFailure(.outOfMemory, "no memory for a gzip decoder")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep {
        let offered = min(input.count, 1 << 30)
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(offered)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        let status = inflate(stream, Z_NO_FLUSH)
        switch status {
        case Z_OK, Z_BUF_ERROR:
            break
        case Z_STREAM_END:
            inflateReset(stream)
        case Z_MEM_ERROR:
            throw CodecFailure(.outOfMemory, "no memory for the gzip window")
        default:
            let message = stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)"
            throw CodecFailure(.corrupted, "the data is damaged, encrypted or misnamed (zlib: \(message))")
        }
        return CodecStep(
            consumed: offered - Int(stream.pointee.avail_in), produced: output.count - Int(stream.pointee.avail_out),
            ended: status == Z_STREAM_END)
    }
}
