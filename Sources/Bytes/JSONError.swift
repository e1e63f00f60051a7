/// Why bytes are not the JSON document they should be.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The document ends in the middle.
        case truncated
        /// A byte stands where the grammar (RFC 8259) does not allow it.
        case syntax
        /// Text is not UTF-8, or an escape names half a surrogate pair.
        case encoding
        /// Nesting, or one text, is larger than the reader was told to accept.
        case tooLarge
    }

    package let kind: Kind
    /// Bytes of the document before the one that is wrong.
    package let offset: Int
    package let detail: String

    package init(_ kind: Kind, offset: Int, detail: String) {
        self.kind = kind
        self.offset = offset
        self.detail = detail
    }

    package var description: String { "JSON at byte \(offset): \(detail)" }
}
