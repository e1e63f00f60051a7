package import Bytes

/// A relation with storage, or a partitioned table, as one database's `pg_class` has it.
package struct DatabaseRelation: Equatable, Sendable {
    package let oid: UInt32
    /// `schema.name`, neither quoted.
    package let name: String
    /// The name of its files; 0 for a partitioned table.
    package let fileNode: UInt32
    /// What it inherits from or is a partition of; the first of several.
    package let parent: UInt32?
}

/// The relations of one database: what a partial restore needs to know.
package struct DatabaseContents: Equatable, Sendable {
    package let name: String
    package let oid: UInt32
    package let relations: [DatabaseRelation]

    /// Asks every database that takes connections.
    ///
    /// One that cannot be asked is left out, with a warning: a backup does not fail for it. Blocks.
    package static func read(_ settings: ConnectionSettings, log: Log) throws(ServerError) -> [DatabaseContents] {
        let operation = "listing the databases"
        let databases = try Connection(settings).query(
            "SELECT datname, oid FROM pg_database WHERE datallowconn ORDER BY datname", operation: operation)
        var contents: [DatabaseContents] = []
        for database in databases {
            guard database.count == 2, let name = database[0], let oid = database[1].flatMap({ UInt32($0) }) else {
                continue
            }
            do throws(ServerError) {
                contents.append(DatabaseContents(name: name, oid: oid, relations: try relations(settings, name)))
            } catch  where error.kind == .cancelled {
                throw error
            } catch {
                log.warning("Database \(name) is left out of the names for partial restore: \(error)")
            }
        }
        return contents
    }

    private static func relations(
        _ settings: ConnectionSettings, _ database: String
    ) throws(ServerError) -> [DatabaseRelation] {
        let rows = try Connection(settings, database: database).query(
            """
            SELECT c.oid, n.nspname || '.' || c.relname, coalesce(pg_relation_filenode(c.oid), 0),
                   (SELECT min(i.inhparent::bigint) FROM pg_inherits i WHERE i.inhrelid = c.oid)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'p' OR coalesce(pg_relation_filenode(c.oid), 0) <> 0
            """, operation: "listing the relations of \(database)")
        return rows.compactMap { row in
            guard row.count == 4, let oid = row[0].flatMap({ UInt32($0) }), let name = row[1],
                let fileNode = row[2].flatMap({ UInt32($0) })
            else { return nil }
            return DatabaseRelation(oid: oid, name: name, fileNode: fileNode, parent: row[3].flatMap { UInt32($0) })
        }
    }
}
