/// What went wrong in a stage of the data path: codecs, archives.
package struct StreamError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The bytes are not what was written: a checksum, a structure, or bytes after the end.
        case corrupted
        /// The input ended before the stream did.
        case truncated
        /// The stream is legal but asks for something that is not done here.
        case unsupported
        /// Memory for a codec could not be had.
        case outOfMemory
    }

    package let kind: Kind
    /// What was being done, for example `decompress lz4`.
    package let operation: String
    /// Bytes of the stage's input before the place that is wrong, as near as the codec tells.
    package let offset: Int
    /// What was found and what was expected, and what to do when there is something.
    package let detail: String

    package init(_ kind: Kind, operation: String, offset: Int, detail: String) {
        self.kind = kind
        self.operation = operation
        self.offset = offset
        self.detail = detail
    }

    package var description: String { "\(operation): \(detail) (at byte \(offset))" }
}
