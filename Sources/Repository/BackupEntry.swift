package import Bytes

/// A backup in a listing: known by its sentinel, which was not opened.
package struct BackupEntry: Equatable, Sendable {
    package let name: String
    /// When the store took the sentinel.
    package let modified: Timestamp

    package init(name: String, modified: Timestamp) {
        self.name = name
        self.modified = modified
    }

    /// The name by the grammar; nil when something else stands before the suffix, which WAL-G lists too.
    package var backupName: BackupName? { BackupName(name) }

    /// The first segment in the name; 24 times `Z` when there is none, as WAL-G shows it.
    package var segmentText: String {
        BackupName.firstSegmentText(in: name) ?? String(repeating: "Z", count: 24)
    }
}

/// What the newest backup is, and why.
package struct LatestBackup: Equatable, Sendable {
    package enum Rule: Equatable, Sendable {
        /// The newest start among the backups of the cluster whose sentinel is the newest.
        case startTime
        /// WAL-G's: the newest sentinel by the store's clock. Used when a backup tells no start or no cluster.
        case modified
    }

    package let entry: BackupEntry
    package let rule: Rule
    /// What WAL-G would take, when that is another one: the operator should know.
    package let newestModified: BackupEntry

    package init(entry: BackupEntry, rule: Rule, newestModified: BackupEntry) {
        self.entry = entry
        self.rule = rule
        self.newestModified = newestModified
    }

    package var isContested: Bool { entry != newestModified }
}
