import Bytes
import Postgres

/// Files that PostgreSQL has marked ready for archiving (`pg_wal/archive_status/*.ready`).
enum ReadyFiles {
    /// Paths of up to `limit` files beside `file` that are ready: histories first, as PostgreSQL takes them, then by name.
    static func others(than file: LocalWALFile, limit: Int) -> [String] {
        let folder = Path.parent(file.path)
        guard limit > 0, let names = try? FileSystem.names(in: Path.join(folder, "archive_status")) else { return [] }
        let ready = names.compactMap { entry -> (isHistory: Bool, name: String)? in
            guard entry.hasSuffix(".ready") else { return nil }
            let name = String(entry.dropLast(6))
            guard name != file.name, let kind = WALFileName(name) else { return nil }
            if case .history = kind { return (true, name) }
            return (false, name)
        }
        let ordered = ready.sorted { left, right in
            left.isHistory == right.isHistory ? left.name < right.name : left.isHistory
        }
        return ordered.prefix(limit).map { Path.join(folder, $0.name) }
    }
}
