import Glibc

/// The pattern of `--mask`: which files of a backup are restored.
///
/// A shell pattern (`*` and `?` do not cross `/`), compared with the path from the data directory, leading slash
/// included, as WAL-G does.
package struct FileMask: Equatable, Sendable {
    package let pattern: String

    /// Takes the pattern as given.
    ///
    /// - Throws: `ArchiverError` with `usage` for an empty pattern or one with an unclosed bracket or a last backslash.
    package init(_ pattern: String) throws(ArchiverError) {
        guard !pattern.isEmpty else { throw ArchiverError(.usage, "--mask: the pattern is empty") }
        var isEscaped = false
        var isInBracket = false
        for character in pattern {
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "[" {
                isInBracket = true
            } else if character == "]" {
                isInBracket = false
            }
        }
        guard !isEscaped, !isInBracket else {
            throw ArchiverError(.usage, "--mask '\(pattern)': the pattern is not complete")
        }
        self.pattern = pattern
    }

    package func matches(_ path: MemberPath) -> Bool {
        fnmatch(pattern, path.description, FNM_PATHNAME) == 0
    }
}
