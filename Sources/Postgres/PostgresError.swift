/// What is wrong with something that PostgreSQL wrote.
package struct PostgresError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// Fewer bytes than the thing has.
        case truncated
        /// Text or bytes that PostgreSQL would not have written.
        case malformed
        /// A version, page size or byte order that this program does not know.
        case unsupported
        /// A WAL segment that was not written to its end: sound so far, then zeros or what the file held before.
        case incomplete
        /// A checksum that does not match, or a structure that cannot be.
        case corrupted
        /// Sound, but of another cluster, timeline, segment or segment size than asked for.
        case foreign
    }

    package let kind: Kind
    /// The file, for example `pg_control` or a segment's name.
    package let subject: String
    /// The byte in the file where it was noticed.
    package let offset: Int?
    /// What was found and what was expected.
    package let detail: String

    package init(_ kind: Kind, subject: String, offset: Int? = nil, detail: String) {
        self.kind = kind
        self.subject = subject
        self.offset = offset
        self.detail = detail
    }

    package var description: String {
        guard let offset else { return "\(subject): \(detail)" }
        return "\(subject), byte \(offset): \(detail)"
    }
}
