/// The name of an object below a store's prefix: no leading slash, `/` between folders.
///
/// Keys are compared by their bytes, as S3 does: the two Unicode spellings of `é` are two keys, though Swift's strings
/// call them equal.
package struct ObjectKey: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    /// What stands after the last slash.
    package var name: String {
        guard let slash = text.utf8.lastIndex(of: 0x2F) else { return text }
        return String(text[text.utf8.index(after: slash)...])
    }

    package var description: String { text }

    package static func == (left: ObjectKey, right: ObjectKey) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }

    /// Bytewise, as S3 lists.
    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}
