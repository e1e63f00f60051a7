package import Storage
package import Streams

/// One tar of a backup, as it lies in the store.
package struct StoredTar: Equatable, Sendable {
    package let key: ObjectKey
    /// Stored bytes.
    package let byteCount: Int
    package let format: StoredFormat
    /// SHA-256 of the stored bytes; nil where the backup does not say (WAL-G's never do).
    package let digest: [UInt8]?

    package var name: String { key.name }
}

/// What is fetched to restore a full backup, decided from names and documents before anything is written.
///
/// The rules of walg.md §2.4: the folder is listed, never counted; `pg_control.tar` and `backup_label.tar` are apart,
/// everything else is a part.
package struct RestorePlan: Equatable, Sendable {
    /// What the backup's documents say of its objects.
    package struct Facts: Sendable {
        package var backup: String
        /// The folder of the tars, with its closing slash.
        package var folder: String
        /// Objects in the folder.
        package var objects: [ObjectInfo]
        /// By full key below the prefix: size and SHA-256, where the sentinel lists them.
        package var recorded: [ObjectKey: (byteCount: Int, digest: [UInt8])]
        /// Names of the tars that bring wanted files, with the number of these; empty when the backup does not say.
        package var tarSets: [String: Int]
        /// Every listed file is in one of `tarSets`.
        package var tarSetsAreComplete: Bool

        package init(backup: String, folder: String, objects: [ObjectInfo]) {
            self.backup = backup
            self.folder = folder
            self.objects = objects
            recorded = [:]
            tarSets = [:]
            tarSetsAreComplete = false
        }
    }

    package let parts: [StoredTar]
    package let control: StoredTar
    /// Nil when the label is in a part (remote mode).
    package let label: StoredTar?
    /// Objects in the folder that do not belong to the backup, debris of another run under the same name.
    package let ignored: [ObjectKey]

    package var byteCount: Int { parts.reduce(control.byteCount + (label?.byteCount ?? 0)) { $0 + $1.byteCount } }

    /// Decides.
    ///
    /// - Throws: `ArchiverError` with `corrupted`, naming the object that is missing, of the wrong size or unreadable.
    package init(_ facts: Facts) throws(ArchiverError) {
        let prefix = facts.folder
        var tars: [(base: Substring, tar: StoredTar)] = []
        var ignored: [ObjectKey] = []
        for object in facts.objects {
            let name = object.key.name
            guard !name.isEmpty else { continue }
            let base = Self.base(name)
            let isSequential = base == "pg_control.tar" || base == "backup_label.tar"
            let isKnown =
                if !facts.recorded.isEmpty {
                    facts.recorded[object.key] != nil
                } else {
                    !facts.tarSetsAreComplete || facts.tarSets[name] != nil
                }
            guard isKnown || (isSequential && facts.recorded.isEmpty) else {
                ignored.append(object.key)
                continue
            }
            let recorded = facts.recorded[object.key]
            if let recorded, recorded.byteCount != object.byteCount {
                throw ArchiverError(
                    .corrupted,
                    """
                    \(object.key) has \(object.byteCount) bytes, the backup was made with \(recorded.byteCount): \
                    it was changed or replaced
                    """)
            }
            guard let format = StoredFormat.ofObject(named: name) else {
                throw ArchiverError(
                    .corrupted, "\(object.key): the compression of this name is not one that can be read")
            }
            let tar = StoredTar(
                key: object.key, byteCount: object.byteCount, format: format, digest: recorded?.digest)
            tars.append((base, tar))
        }
        for key in facts.recorded.keys.sorted()
        where key.text.hasPrefix(prefix) && !tars.contains(where: { $0.tar.key == key }) {
            throw ArchiverError(.corrupted, "\(key) is missing: the backup was made with it")
        }
        for (name, count) in facts.tarSets.sorted(by: { $0.key < $1.key })
        where count > 0 && !tars.contains(where: { $0.tar.name == name }) {
            throw ArchiverError(.corrupted, "\(prefix)\(name) is missing: it holds \(count) files of the backup")
        }
        func only(_ base: String) throws(ArchiverError) -> StoredTar? {
            let found = tars.filter { $0.base == base }.map(\.tar)
            guard found.count < 2 else {
                throw ArchiverError(
                    .corrupted, "\(found[0].key) and \(found[1].key): which of them belongs to the backup?")
            }
            return found.first
        }
        parts = tars.filter { $0.base != "pg_control.tar" && $0.base != "backup_label.tar" }.map(\.tar)
        guard !parts.isEmpty else {
            throw ArchiverError(.corrupted, "\(prefix) holds no parts: there is nothing of \(facts.backup) to restore")
        }
        guard let control = try only("pg_control.tar") else {
            throw ArchiverError(.corrupted, "\(prefix)pg_control.tar is missing: \(facts.backup) cannot be restored")
        }
        self.control = control
        label = try only("backup_label.tar")
        if label == nil, !facts.tarSets.isEmpty {
            throw ArchiverError(
                .corrupted,
                "\(prefix)backup_label.tar is missing: without it \(facts.backup) would recover from the wrong place")
        }
        self.ignored = ignored
    }

    /// The name without its compression extension.
    private static func base(_ name: String) -> Substring {
        guard let range = name.range(of: ".tar") else { return name[...] }
        return name[..<range.upperBound]
    }
}

extension String {
    /// The first occurrence of `text`, bytewise.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        let pattern = Array(text.utf8)
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start...].starts(with: pattern) {
                return start..<utf8.index(start, offsetBy: pattern.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
