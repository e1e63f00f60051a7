/// Where a tar member belongs, seen from the data directory.
///
/// WAL-G writes `/base/5/1259` in local mode and `base/5/1259` in remote mode; both are the same path here.
package struct MemberPath: Hashable, Sendable, CustomStringConvertible {
    /// Components joined by `/`, none of them empty, `.` or `..`.
    ///
    /// Empty for the data directory itself.
    package let text: String

    /// Reads a member's name.
    ///
    /// - Throws: `ArchiverError` with `corrupted` when the name would leave the data directory.
    package init(memberName: String) throws(ArchiverError) {
        var components: [Substring] = []
        for component in memberName.split(separator: "/", omittingEmptySubsequences: true) where component != "." {
            guard component != ".." else {
                throw ArchiverError(
                    .corrupted,
                    "the member name '\(memberName)' has a '..' component: nothing outside the data directory is written"
                )
            }
            guard !component.utf8.contains(0) else {
                throw ArchiverError(.corrupted, "the member name '\(memberName)' holds a NUL byte")
            }
            components.append(component)
        }
        text = components.joined(separator: "/")
    }

    /// A path that is known to be well formed.
    init(trusted text: String) { self.text = text }

    package var components: [Substring] { text.split(separator: "/") }

    /// The data directory itself.
    package var isRoot: Bool { text.isEmpty }

    package var description: String { "/" + text }

    package static let control = MemberPath(trusted: "global/pg_control")
    package static let backupLabel = MemberPath(trusted: "backup_label")
    package static let tablespaceMap = MemberPath(trusted: "tablespace_map")
}
