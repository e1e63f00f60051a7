/// Takes what a stage has made, borrowed for the call; nobody keeps it.
package typealias Emit = (RawSpan) throws(StreamError) -> Void

/// What one call of a codec did.
struct CodecStep {
    /// Bytes taken from the input.
    var consumed: Int
    /// Bytes put into the output.
    var produced: Int
    /// Whether a frame, or for a codec without frames the stream, ended with this call and is flushed.
    var ended: Bool
}

/// A compressor that is driven in steps with a bounded output.
protocol StreamEncoder: AnyObject {
    /// Bytes of output a step needs room for.
    var outputCapacity: Int { get }

    /// Takes some of the input; with `finishing` and no input, writes what is left.
    ///
    /// `ended` is set when the stream is complete, which only finishing can make it.
    func step(
        _ input: UnsafeRawBufferPointer, finishing: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep
}

/// A decompressor that is driven in steps with a bounded output.
protocol StreamDecoder: AnyObject {
    /// Whether further frames may follow the first.
    var readsManyFrames: Bool { get }

    /// Decodes until the input is used up, the output is full or a frame has ended.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecFailure) -> CodecStep
}

/// A codec's refusal, without the place, which the driver knows.
struct CodecFailure: Error {
    let kind: StreamError.Kind
    let detail: String

    init(_ kind: StreamError.Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

/// Memory that a stage reuses for all its output.
final class OutputBuffer {
    let memory: UnsafeMutableRawBufferPointer

    init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 64) }

    deinit { memory.deallocate() }

    /// Hands on the first `count` bytes.
    func emit(_ count: Int, _ emit: Emit) throws(StreamError) {
        guard count > 0 else { return }
        try emit(UnsafeRawBufferPointer(rebasing: memory[..<count]).bytes)
    }
}
