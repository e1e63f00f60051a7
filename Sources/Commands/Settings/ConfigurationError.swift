/// A setting or a configuration file that cannot be used as it stands.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// A value that does not parse or is out of range.
        case invalidValue
        /// A known setting whose effect this version cannot give.
        case notAvailable
        /// Settings that exclude each other.
        case conflict
        /// The configuration file is missing, unreadable or malformed, or a file that holds a secret is.
        case file
        /// No storage is configured.
        case noStorage
    }

    package let kind: Kind
    /// The setting as it was spelt, or the path of the file; empty when it is about none in particular.
    package let subject: String
    /// The whole message, never with a secret in it.
    package let detail: String

    package init(_ kind: Kind, subject: String, detail: String) {
        self.kind = kind
        self.subject = subject
        self.detail = detail
    }

    package var description: String { subject.isEmpty ? detail : "\(subject): \(detail)" }
}
