/// Decompresses one stream, all frames of it, and refuses everything but a whole one.
///
/// Frames may be concatenated where the format knows frames (LZ4, zstd, gzip). Nothing is buffered but what the
/// codec itself needs: the window or dictionary, at most 128 MiB, and 256 KiB of output.
package final class Decompressor {
    private enum State {
        /// Before the first frame or right behind one.
        case boundary
        case inFrame
        case finished
        case failed(StreamError)
    }

    private static let outputCapacity = 256 << 10

    private let format: StoredFormat
    private let decoder: (any StreamDecoder)?
    private let buffer: OutputBuffer
    private var state = State.boundary
    private var contentFrames = 0
    /// Compressed bytes taken so far.
    package private(set) var consumed = 0
    /// Bytes emitted so far.
    package private(set) var produced = 0

    /// Opens the stream.
    ///
    /// - Throws: `StreamError` of kind `outOfMemory` when the codec gets no memory.
    package init(_ format: StoredFormat) throws(StreamError) {
        self.format = format
        do {
            decoder =
                switch format {
                case .lz4: try LZ4Decoder()
                case .zstd: try ZstdDecoder()
                case .brotli: try BrotliDecoder()
                case .lzma: try LZMADecoder()
                case .gzip: try GzipDecoder()
                case .none: nil
                }
        } catch {
            throw StreamError(error.kind, operation: "decompress \(format.rawValue)", offset: 0, detail: error.detail)
        }
        buffer = OutputBuffer(capacity: decoder == nil ? 1 : Self.outputCapacity)
    }

    /// Decompresses `bytes`, of any size, and emits what is ready, in chunks of at most 256 KiB.
    ///
    /// Emitted bytes are not yet known to be right: the checksum follows at the end of a frame.
    /// - Throws: `StreamError` of kind `corrupted` or `unsupported`, and whatever `emit` throws. The stream is then
    ///   dead: every further call throws the same.
    package func update(_ bytes: RawSpan, _ emit: Emit) throws(StreamError) {
        try checkOpen()
        do {
            guard let decoder else {
                consumed += bytes.byteCount
                produced += bytes.byteCount
                if bytes.byteCount > 0 { try emit(bytes) }
                return
            }
            try bytes.withUnsafeBytes { input throws(StreamError) in try decode(input, with: decoder, emit) }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// Does as `update`, for a receiver that throws errors of any type, such as `TarReader`.
    package func forward(_ bytes: RawSpan, to receiver: (RawSpan) throws -> Void) throws {
        var refusal: (any Error)?
        do {
            try update(bytes) { (span) throws(StreamError) in
                do {
                    try receiver(span)
                } catch {
                    refusal = error
                    throw failure(.unsupported, "the receiver of the bytes has failed")
                }
            }
        } catch {
            throw refusal ?? error
        }
    }

    /// Ends the stream.
    ///
    /// - Throws: `StreamError` of kind `truncated` when the stream is not whole.
    package func finish() throws(StreamError) {
        try checkOpen()
        if decoder != nil {
            var whole = false
            if case .boundary = state { whole = contentFrames > 0 }
            guard whole else {
                let error = failure(
                    .truncated,
                    consumed == 0
                        ? "the stream is empty"
                        : "the stream is cut: it ends after \(consumed) bytes, before its own end")
                state = .failed(error)
                throw error
            }
        }
        state = .finished
    }

    private func checkOpen() throws(StreamError) {
        switch state {
        case .boundary, .inFrame: return
        case .failed(let error): throw error
        case .finished: preconditionFailure("the stream is finished")
        }
    }

    private func decode(
        _ input: UnsafeRawBufferPointer, with decoder: any StreamDecoder, _ emit: Emit
    ) throws(StreamError) {
        var position = 0
        while true {
            if case .boundary = state {
                guard position < input.count else { return }
                try beginFrame(with: input[position], decoder)
            }
            let rest = UnsafeRawBufferPointer(rebasing: input[position...])
            let step: CodecStep
            do {
                step = try decoder.step(rest, into: buffer.memory)
            } catch {
                throw failure(error.kind, error.detail)
            }
            position += step.consumed
            consumed += step.consumed
            produced += step.produced
            try buffer.emit(step.produced, emit)
            if step.ended {
                state = .boundary
                continue
            }
            if position == input.count && step.produced < buffer.memory.count { return }
            if step.consumed == 0 && step.produced == 0 {
                throw failure(.corrupted, "the decoder is stuck: the data is damaged")
            }
        }
    }

    private func beginFrame(with first: UInt8, _ decoder: any StreamDecoder) throws(StreamError) {
        guard contentFrames == 0 || decoder.readsManyFrames else {
            throw failure(.corrupted, "bytes follow the end of the stream")
        }
        // Skippable frames of LZ4 and zstd (magic 0x184D2A5?, least byte first) hold no content: a stream that
        // consists of them alone is not taken for a whole one.
        let isSkippable = (format == .lz4 || format == .zstd) && first & 0xF0 == 0x50
        if !isSkippable { contentFrames += 1 }
        state = .inFrame
    }

    private func failure(_ kind: StreamError.Kind, _ detail: String) -> StreamError {
        StreamError(kind, operation: "decompress \(format.rawValue)", offset: consumed, detail: detail)
    }
}
