/// Compresses one stream; its memory does not grow with the input.
package final class Compressor {
    private enum State {
        case open, finished
        case failed(StreamError)
    }

    private let encoder: (any StreamEncoder)?
    private let buffer: OutputBuffer
    private let operation: String
    private var consumed = 0
    private var state = State.open

    /// Opens the stream.
    ///
    /// - Throws: `StreamError` of kind `outOfMemory` when the codec gets no memory.
    package init(_ settings: CompressionSettings) throws(StreamError) {
        operation = "compress \(settings.method.rawValue)"
        do {
            encoder =
                switch settings.method {
                case .lz4: try LZ4Encoder(blockSize: settings.lz4BlockSize)
                case .zstd: try ZstdEncoder(level: settings.zstdLevel)
                case .brotli: try BrotliEncoder()
                case .lzma: try LZMAEncoder()
                case .none: nil
                }
        } catch {
            throw StreamError(error.kind, operation: operation, offset: 0, detail: error.detail)
        }
        buffer = OutputBuffer(capacity: encoder?.outputCapacity ?? 1)
    }

    /// Compresses `bytes`, of any size, and emits what is ready, which may be nothing.
    package func update(_ bytes: RawSpan, _ emit: Emit) throws(StreamError) {
        try checkOpen()
        guard let encoder else {
            guard bytes.byteCount > 0 else { return }
            return try guarded { () throws(StreamError) in try emit(bytes) }
        }
        try bytes.withUnsafeBytes { input throws(StreamError) in
            var position = 0
            while position < input.count {
                let rest = UnsafeRawBufferPointer(rebasing: input[position...])
                let step = try self.step(encoder, rest, finishing: false)
                position += step.consumed
                consumed += step.consumed
                try guarded { () throws(StreamError) in try buffer.emit(step.produced, emit) }
            }
        }
    }

    /// Emits what is left and ends the stream.
    package func finish(_ emit: Emit) throws(StreamError) {
        try checkOpen()
        if let encoder {
            var ended = false
            while !ended {
                let step = try self.step(encoder, UnsafeRawBufferPointer(start: nil, count: 0), finishing: true)
                try guarded { () throws(StreamError) in try buffer.emit(step.produced, emit) }
                ended = step.ended
            }
        }
        state = .finished
    }

    private func checkOpen() throws(StreamError) {
        switch state {
        case .open: return
        case .failed(let error): throw error
        case .finished: preconditionFailure("the stream is finished")
        }
    }

    private func step(
        _ encoder: any StreamEncoder, _ input: UnsafeRawBufferPointer, finishing: Bool
    ) throws(StreamError) -> CodecStep {
        do {
            return try encoder.step(input, finishing: finishing, into: buffer.memory)
        } catch {
            let failure = StreamError(error.kind, operation: operation, offset: consumed, detail: error.detail)
            state = .failed(failure)
            throw failure
        }
    }

    // A stream of which a piece was lost must not go on as if nothing had happened.
    private func guarded(_ body: () throws(StreamError) -> Void) throws(StreamError) {
        do {
            try body()
        } catch {
            state = .failed(error)
            throw error
        }
    }
}
