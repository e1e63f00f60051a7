import Bytes

/// What is wrong with what the repository holds.
package struct RepositoryError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The backup, or a document that must be there, is not.
        case notFound
        /// A document is not what it should be.
        case damaged
        /// Several backups answer to what was asked for one.
        case ambiguous
        /// The document was written by a newer program.
        case unsupported
    }

    package let kind: Kind
    /// The object's key, or the path of a local document; empty when the error is not of one object.
    package let object: String
    /// The member of the document, outermost first, for example `Spec.16390.loc`; empty for the whole document.
    package let member: String
    package let detail: String

    package init(_ kind: Kind, object: String = "", member: String = "", detail: String) {
        self.kind = kind
        self.object = object
        self.member = member
        self.detail = detail
    }

    init(_ error: JSONError, object: String) {
        self.init(.damaged, object: object, detail: "\(error)")
    }

    /// A backup that is not there, in the words WAL-G uses.
    package static func noBackup(named name: String) -> RepositoryError {
        RepositoryError(.notFound, detail: "Backup '\(name)' does not exist.")
    }

    /// No backup at all, in the words WAL-G uses.
    package static let noBackups = RepositoryError(.notFound, detail: "No backups found")

    package var description: String {
        let place = [object, member.isEmpty ? "" : "member \(member)"].filter { !$0.isEmpty }
        return place.isEmpty ? detail : place.joined(separator: ", ") + ": " + detail
    }
}
