/// This program, as it names itself in what it writes.
package enum Tool {
    /// Semantic version.
    package static let version = "0.1.0"
    /// Name and version, for claims and sentinels.
    package static let name = "wal-s \(version)"
}
