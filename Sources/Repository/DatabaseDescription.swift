import Bytes

/// What the files metadata says of one database: names and numbers of its relations, for partial restores.
package struct DatabaseDescription: Equatable, Sendable {
    /// A relation with its own storage, or a partitioned table (`fileNode` 0).
    package struct Table: Equatable, Sendable {
        /// `schema.relation`.
        package var name: String
        package var oid: UInt32
        /// `relfilenode`.
        package var fileNode: UInt32
        /// Partitions and inheritance children, all levels in one list.
        package var subtables: [Table]

        package init(name: String, oid: UInt32, fileNode: UInt32, subtables: [Table] = []) {
            self.name = name
            self.oid = oid
            self.fileNode = fileNode
            self.subtables = subtables
        }
    }

    package var name: String
    package var oid: UInt32
    package var tables: [Table]

    package init(name: String, oid: UInt32, tables: [Table] = []) {
        self.name = name
        self.oid = oid
        self.tables = tables
    }

    /// Reads the value of the member `name` of `DatabasesByNames`.
    ///
    /// The old member `tables` is left unread, as WAL-G does.
    init(name: String, _ document: DocumentObject) throws(RepositoryError) {
        self.name = name
        oid = try document.integer("oid") ?? 0
        tables = try Self.tables(document.nested("tables_new"))
    }

    private static func tables(_ document: DocumentObject?) throws(RepositoryError) -> [Table] {
        guard let document, let members = document.value.object else { return [] }
        var tables: [Table] = []
        for member in members {
            let value = try DocumentObject(
                member.value, object: document.object, member: document.path + member.name)
            tables.append(
                Table(
                    name: member.name, oid: try value.integer("oid") ?? 0,
                    fileNode: try value.integer("relfilenode") ?? 0,
                    subtables: try Self.tables(value.nested("subtables"))))
        }
        return tables
    }

    /// Writes the member of `DatabasesByNames`.
    func write(to writer: inout JSONWriter) {
        writer.name(name)
        writer.beginObject()
        writer.name("oid")
        writer.number(oid)
        writer.name("tables_new")
        Self.write(tables, to: &writer)
        writer.endObject()
    }

    private static func write(_ tables: [Table], to writer: inout JSONWriter) {
        writer.beginObject()
        for table in tables {
            writer.name(table.name)
            writer.beginObject()
            writer.name("oid")
            writer.number(table.oid)
            writer.name("relfilenode")
            writer.number(table.fileNode)
            if !table.subtables.isEmpty {
                writer.name("subtables")
                write(table.subtables, to: &writer)
            }
            writer.endObject()
        }
        writer.endObject()
    }
}
