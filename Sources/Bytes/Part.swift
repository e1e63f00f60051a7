import Glibc

/// Fixed-size, page-aligned memory: what an S3 part is made of, and the only thing that crosses between the
/// synchronous stages and the asynchronous store.
///
/// A part has exactly one owner at a time, who alone reads and writes it; handing it on ends the right to touch it.
/// That rule, kept by `PartWriter`, the stores and `PartPool`, makes the class Sendable.
package final class Part: @unchecked Sendable {
    /// Bytes that fit.
    package let capacity: Int
    /// Bytes that are filled, from the start.
    package private(set) var count = 0
    private let base: UnsafeMutableRawPointer

    /// Allocates without touching: memory becomes resident as it is filled.
    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 4096)
    }

    deinit { base.deallocate() }

    package var isFull: Bool { count == capacity }
    package var available: Int { capacity - count }

    /// Forgets the contents.
    package func reset() { count = 0 }

    /// Copies as much of `bytes` as fits and says how much that was.
    @discardableResult
    package func append(_ bytes: RawSpan) -> Int {
        let taken = min(bytes.byteCount, available)
        guard taken > 0 else { return 0 }
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            (base + count).copyMemory(from: start, byteCount: taken)
        }
        count += taken
        return taken
    }

    /// Lets `body` write into the free space; the returned count is added.
    package func fill<Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let written = try body(UnsafeMutableRawBufferPointer(start: base + count, count: available))
        precondition(written >= 0 && written <= available)
        count += written
    }

    /// The filled bytes, borrowed for the call.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let buffer = UnsafeRawBufferPointer(start: base, count: count)
        return try body(buffer.bytes)
    }

    /// The filled bytes, as a pointer for C, valid while the caller owns the part.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }
}
