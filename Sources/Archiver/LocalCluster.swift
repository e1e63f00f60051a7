import Bytes
package import Postgres

/// What can be learnt of the cluster from its data directory, without a server.
package enum LocalCluster {
    /// The control file of the data directory; nil when there is none that can be read.
    package static func controlFile(in dataDirectory: String) -> ControlFile? {
        guard let bytes = try? FileSystem.contents(Path.join(dataDirectory, "global/pg_control"), limit: 65536) else {
            return nil
        }
        return try? ControlFile(parsing: bytes)
    }

    /// The data directory that a file in `pg_wal` belongs to: the parent of `pg_wal`, else the working directory when
    /// it has a control file, else `fallback` (PGDATA).
    package static func dataDirectory(ofFile path: String, fallback: String?) -> String? {
        let folder = Path.parent(path)
        var candidates: [String] = []
        if Path.name(folder) == "pg_wal" || Path.name(folder) == "pg_xlog" { candidates.append(Path.parent(folder)) }
        candidates.append(".")
        if let fallback { candidates.append(fallback) }
        return candidates.first { candidate in
            (try? FileSystem.status(Path.join(candidate, "global/pg_control"))) ?? nil != nil
        }
    }
}
