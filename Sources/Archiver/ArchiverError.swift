import Bytes
import Storage

/// Why a verb could not do what was asked, where no lower room's error says it already.
package struct ArchiverError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The command was called with something it does not take.
        case usage
        /// Settings or place are wrong: the prefix, the cluster, the data directory.
        case configuration
        /// The file is not in the archive, and that is proven.
        case absent
        /// What lies in the archive, or on the disk, is not what it should be.
        case corrupted
        /// The archive holds something else under this name.
        case conflict
        /// A local file or directory cannot be used.
        case localFile
        /// It did not end in its time.
        case deadline
        /// Another run of the same kind is under way.
        case busy
        /// The server said no, or its state does not allow it.
        case server
    }

    package let kind: Kind
    /// What was being done, to which object or file, what was found, and what to do.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
