package import Bytes
internal import Digests

/// Fills parts with a stream's bytes, every part but the last to the brim.
///
/// Appending never waits. When the pool is empty an overdraft is taken; the pool's bound is kept by whoever feeds
/// the stream: it hands `takeFilled()` to the upload and awaits before it reads on.
package final class PartWriter {
    private let pool: PartPool
    private let digest: MessageDigest?
    private var current: Part?
    private var filled: [Part] = []
    private var isFinished = false
    /// Bytes appended so far.
    package private(set) var byteCount = 0
    /// The SHA-256 of all bytes; nil before `finish()` and when it was not asked for.
    package private(set) var sha256: [UInt8]?

    /// Takes no part until there is a byte to put into it.
    package init(pool: PartPool, digesting: Bool = true) {
        self.pool = pool
        digest = digesting ? MessageDigest(.sha256) : nil
    }

    deinit {
        for part in filled { pool.give(part) }
        if let current { pool.give(current) }
    }

    /// Whether `takeFilled()` would return something.
    package var hasFilled: Bool { !filled.isEmpty }

    /// Copies `bytes`, of any size, into parts.
    package func append(_ bytes: RawSpan) {
        precondition(!isFinished, "the stream is finished")
        digest?.update(bytes)
        byteCount += bytes.byteCount
        var position = 0
        while position < bytes.byteCount {
            let part = current ?? pool.tryTake() ?? pool.overdraft()
            position += part.append(bytes.extracting(position..<bytes.byteCount))
            if part.isFull {
                filled.append(part)
                current = nil
            } else {
                current = part
            }
        }
    }

    /// The full parts since the last call, in order; the caller owns them and gives them back to the pool.
    package func takeFilled() -> [Part] {
        defer { filled.removeAll(keepingCapacity: true) }
        return filled
    }

    /// Ends the stream and returns the parts that are left, the last one possibly not full.
    ///
    /// Returns no part when there is nothing left; a stream of no bytes has no part at all.
    package func finish() -> [Part] {
        precondition(!isFinished, "the stream is finished")
        isFinished = true
        sha256 = digest?.finish()
        var rest = takeFilled()
        if let current { rest.append(current) }
        current = nil
        return rest
    }
}
