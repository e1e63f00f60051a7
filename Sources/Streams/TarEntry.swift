package import Bytes

/// A member of a tar archive, without its bytes.
package struct TarEntry: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case regular, directory, symbolicLink, hardLink
        /// A device or a pipe.
        case other
    }

    /// The name exactly as the archive has it: a leading slash and a directory's trailing one are kept.
    package var path: String
    package var kind: Kind
    /// Bytes of the body; 0 for all but regular files.
    package var byteCount: Int
    /// Permission bits, 0 ...
    ///
    /// 0o7777.
    package var mode: UInt32
    package var userID: Int
    package var groupID: Int
    package var userName: String
    package var groupName: String
    /// The modification time; written in whole seconds, rounded as WAL-G does.
    package var modified: Timestamp
    /// Where a link points to; empty for all others.
    package var linkTarget: String

    package init(
        path: String, kind: Kind = .regular, byteCount: Int = 0, mode: UInt32 = 0o600, userID: Int = 0,
        groupID: Int = 0, userName: String = "", groupName: String = "",
        modified: Timestamp = Timestamp(seconds: 0), linkTarget: String = ""
    ) {
        self.path = path
        self.kind = kind
        self.byteCount = byteCount
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.userName = userName
        self.groupName = groupName
        self.modified = modified
        self.linkTarget = linkTarget
    }
}

/// What a `TarReader` meets, in order.
package enum TarEvent: ~Escapable {
    /// A member begins.
    case entry(TarEntry)
    /// Some of its bytes, borrowed for the call; `byteCount` of them in all.
    case body(RawSpan)
    /// All its bytes have been there.
    case endOfEntry
}
