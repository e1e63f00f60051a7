package import Bytes
package import Storage
package import Streams

/// Reads an object through its decompressor.
package enum ObjectReading {
    /// Hands the decompressed content of `key` to `body`, chunk by chunk, in order.
    ///
    /// The content is complete and its own checksum right only when this returns; what `body` got before is not to be
    /// trusted when it throws.
    @discardableResult
    package static func read(
        _ key: ObjectKey, _ format: StoredFormat, from store: any ObjectStore, pool: PartPool,
        _ body: (RawSpan) throws -> Void
    ) async throws -> ObjectInfo {
        let decompressor = try Decompressor(format)
        // A throwing body cannot pass through the codec's typed closure: it is kept and thrown after the call.
        var failure: (any Error)?
        func take(_ bytes: RawSpan) {
            guard failure == nil else { return }
            do { try body(bytes) } catch { failure = error }
        }
        let info = try await store.download(key, pool: pool, ahead: 2) { part in
            defer { pool.give(part) }
            try part.withBytes { bytes in
                try decompressor.update(bytes) { plain throws(StreamError) in take(plain) }
            }
            if let failure { throw failure }
        }
        try decompressor.finish()
        return info
    }
}
