import Bytes
import Glibc
import Postgres
import Repository

/// What a backup holds: the walk of the data directory.
///
/// The rules are WAL-G's (walg.md, section 8.1), with more left out that PostgreSQL's own pg_basebackup leaves out too:
/// temporary relations, unlogged relations but for their `_init` forks, `pg_internal.init`, temporary files,
/// and the label, map and manifest of an earlier restore. Links, other than those of tablespaces, are followed.
struct BackupPlan: Sendable {
    let files: BackupFiles
    /// Sizes of everything that was walked, directories included.
    let catalogSize: Int
    /// Links under `pg_tblspc`, by name.
    let tablespaces: [TablespaceSpec.Tablespace]

    /// Names left out at any depth; a directory is kept, empty.
    static let excludedNames: Set<String> = [
        "log", "pg_log", "pg_xlog", "pg_wal", "pgsql_tmp", "postgresql.auto.conf.tmp", "postmaster.pid",
        "postmaster.opts", "recovery.conf", "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_stat_tmp",
        "pg_snapshots", "pg_subtrans", "standby.signal",
    ]

    /// Files at the top that a restore left and the server no longer needs.
    private static let excludedPaths: Set<String> = [
        "/backup_label", "/tablespace_map", "/backup_manifest", "/current_logfiles.tmp", "/backup_label.old",
        "/tablespace_map.old",
    ]

    static let controlFile = "/global/pg_control"

    /// Walks `directory`, which is absolute and without links.
    init(walking directory: String, log: Log) throws {
        var walk = Walk(root: directory, log: log)
        try walk.add("/", at: directory)
        files = walk.files
        catalogSize = walk.catalogSize
        tablespaces = walk.tablespaces
    }

    private struct Walk {
        let root: String
        let log: Log
        let files = BackupFiles()
        var catalogSize = 0
        var tablespaces: [TablespaceSpec.Tablespace] = []
        /// Directories that links were followed into, against loops.
        private var followed: Set<String> = []

        init(root: String, log: Log) {
            self.root = root
            self.log = log
        }

        mutating func add(_ member: String, at path: String) throws {
            guard let status = try FileSystem.linkStatus(path) else {
                log.debug("\(path) vanished while the directory was walked")
                return
            }
            catalogSize += status.byteCount
            guard !member.unicodeScalars.contains("\u{FFFD}") else {
                throw ArchiverError(.localFile, "backup-push: the name of \(path) is not UTF-8; rename or remove it")
            }
            let name = Path.name(member)
            let isExcluded = member != "/" && BackupPlan.excludedNames.contains(name)
            switch status.kind {
            case .directory:
                files.append(member, .directory, BackupFileStatus(status))
                if !isExcluded { try addContents(of: member, at: path) }
            case .regular:
                guard !isExcluded else { return }
                files.append(member, .regular, BackupFileStatus(status))
            case .symbolicLink:
                try addLink(member, at: path, isExcluded: isExcluded)
            case .other:
                log.warning("\(path) is no file and no directory: left out")
            }
        }

        private mutating func addContents(of member: String, at path: String) throws {
            guard let names = try BackupPlan.names(in: path) else {
                log.debug("\(path) vanished while the directory was walked")
                return
            }
            let unlogged = BackupPlan.unloggedRelations(names)
            for name in names {
                let child = Path.join(member, name)
                guard !BackupPlan.isLeftOut(child, name, unlogged) else { continue }
                try add(child, at: Path.join(path, name))
            }
        }

        private mutating func addLink(_ member: String, at path: String, isExcluded: Bool) throws {
            guard let status = try FileSystem.status(path) else {
                log.warning("\(path) is a link to nothing: left out")
                return
            }
            if Path.parent(member) == "/pg_tblspc", UInt32(Path.name(member)) != nil {
                let target = try FileSystem.linkTarget(path)
                tablespaces.append(.init(name: Path.name(member), location: try FileSystem.resolvedOr(target, path)))
                catalogSize += status.byteCount
                try addContents(of: member, at: path)
                return
            }
            switch status.kind {
            case .directory where isExcluded:
                files.append(member, .directory, BackupFileStatus(status))
            case .directory:
                let target = try FileSystem.resolved(path)
                guard target != root, !root.hasPrefix(target + "/"), followed.insert(target).inserted else {
                    log.warning("\(path) is a link that leads in a circle: left out")
                    return
                }
                log.info("\(path) is a link to \(target): its contents are stored in its place")
                files.append(member, .directory, BackupFileStatus(status))
                try addContents(of: member, at: path)
            case .regular where !isExcluded:
                files.append(member, .regular, BackupFileStatus(status))
            default: return
            }
        }
    }

    /// What is in a directory; nil when it is no longer there.
    private static func names(in path: String) throws(SystemError) -> [String]? {
        do throws(SystemError) {
            return try FileSystem.names(in: path)
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    /// Relations in one directory that have an `_init` fork.
    private static func unloggedRelations(_ names: [String]) -> Set<Substring> {
        var relations: Set<Substring> = []
        for name in names where name.hasSuffix("_init") { relations.insert(name.dropLast(5)) }
        return relations
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Whether a file is dropped whole, by rules beyond the excluded names.
    private static func isLeftOut(_ member: String, _ name: String, _ unlogged: Set<Substring>) -> Bool {
        if member == controlFile || excludedPaths.contains(member) { return true }
        if name.hasPrefix("pgsql_tmp") && name != "pgsql_tmp" || name.hasPrefix("pg_internal.init") { return true }
        guard let first = name.utf8.first, isDigit(first) || first == UInt8(ascii: "t"),
            let relation = RelationPath(member.dropFirst())
        else { return false }
        if relation.isTemporary { return true }
        guard !unlogged.isEmpty, relation.fork != .initial else { return false }
        return unlogged.contains(Substring(String(relation.relation.number)))
    }
}

extension FileSystem {
    /// The absolute form of a tablespace link's target.
    fileprivate static func resolvedOr(_ target: String, _ link: String) throws(SystemError) -> String {
        Path.isAbsolute(target) ? target : try resolved(link)
    }
}
