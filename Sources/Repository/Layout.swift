package import Storage

/// The keys of a prefix, as WAL-G lays them out.
package enum Layout {
    /// Holds the backups, one folder and one sentinel each.
    package static let backupsFolder = "basebackups_005/"
    /// Holds the archived segments and what belongs to them.
    package static let walFolder = "wal_005/"
    /// What a sentinel's name ends in.
    package static let sentinelSuffix = "_backup_stop_sentinel.json"

    /// The object whose existence makes the backup exist.
    package static func sentinel(_ backup: String) -> ObjectKey {
        ObjectKey(backupsFolder + backup + sentinelSuffix)
    }

    /// The folder of a backup's other objects, with its closing slash.
    package static func folder(_ backup: String) -> String { backupsFolder + backup + "/" }

    package static func metadata(_ backup: String) -> ObjectKey { ObjectKey(folder(backup) + "metadata.json") }

    package static func filesMetadata(_ backup: String) -> ObjectKey {
        ObjectKey(folder(backup) + "files_metadata.json")
    }

    /// PostgreSQL's own manifest, of full backups.
    package static func manifest(_ backup: String) -> ObjectKey { ObjectKey(folder(backup) + "backup_manifest") }

    /// The folder of the tar objects, with its closing slash.
    package static func tarFolder(_ backup: String) -> String { folder(backup) + "tar_partitions/" }

    /// A tar object by its name with extension, for example `part_001.tar.lz4`.
    package static func tar(_ name: String, of backup: String) -> ObjectKey { ObjectKey(tarFolder(backup) + name) }

    /// The name of a part without its codec's extension: at least three digits, from 1.
    package static func partName(_ number: Int) -> String {
        let digits = String(number)
        return "part_" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits + ".tar"
    }

    /// An archived file by its name with extension, for example `000000010000000000000001.lz4`.
    package static func wal(_ name: String) -> ObjectKey { ObjectKey(walFolder + name) }

    /// Which cluster the prefix belongs to.
    ///
    /// At the root and without a run of 24 hexadecimal digits, so that no WAL-G command but `delete everything`
    /// takes it for its own.
    package static let claim = ObjectKey("wals_claim.json")

    /// The backup whose sentinel `key` is; nil when it is none.
    package static func backup(ofSentinel key: ObjectKey) -> String? {
        guard key.text.hasPrefix(backupsFolder), key.text.hasSuffix(sentinelSuffix) else { return nil }
        let name = key.text.dropFirst(backupsFolder.count).dropLast(sentinelSuffix.count)
        return name.isEmpty || name.contains("/") ? nil : String(name)
    }
}
