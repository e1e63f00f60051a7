package import Bytes

/// Where a backed-up server had its tablespaces, and so where a restore puts them.
///
/// The `Spec` of a sentinel and the file of `--restore-spec` are of this form.
package struct TablespaceSpec: Equatable, Sendable {
    package struct Tablespace: Equatable, Sendable {
        /// The OID in decimal: the link's name under `pg_tblspc`.
        package let name: String
        /// The directory, absolute.
        package let location: String

        package init(name: String, location: String) {
            self.name = name
            self.location = location
        }

        /// The link, relative to the data directory.
        package var link: String { "pg_tblspc/\(name)" }
    }

    /// The data directory of the backed-up server, without a closing slash.
    package let basePrefix: String
    package let tablespaces: [Tablespace]

    package init(basePrefix: String, tablespaces: [Tablespace]) {
        self.basePrefix = Self.trimmed(basePrefix)
        self.tablespaces = tablespaces
    }

    /// Reads a document such as `--restore-spec` names; `source` is its path, for messages.
    package init(parsing bytes: [UInt8], source: String) throws(RepositoryError) {
        try self.init(DocumentObject(parsing: bytes, object: source))
    }

    /// Reads the object strictly: names must be OIDs, each once and with a member of its own whose link is
    /// `pg_tblspc/<name>` and whose location is absolute and no other tablespace's.
    init(_ document: DocumentObject) throws(RepositoryError) {
        // A map in WAL-G, not a structure: names match exactly.
        guard let prefix = document.value.member("base_prefix") else { throw document.missing("base_prefix") }
        guard let basePrefix = prefix.string, Path.isAbsolute(basePrefix) else {
            throw document.damaged(
                "base_prefix", "an absolute path expected, \(DocumentObject.named(prefix)) found")
        }
        guard let list = document.value.member("tablespaces") else { throw document.missing("tablespaces") }
        guard let elements = list.isNull ? [] : list.array else {
            throw document.damaged("tablespaces", "an array expected, \(DocumentObject.named(list)) found")
        }
        var tablespaces: [Tablespace] = []
        for element in elements {
            guard let name = element.string, let oid = UInt32(name), String(oid) == name, oid > 0 else {
                throw document.damaged(
                    "tablespaces", "the OID of a tablespace expected, \(DocumentObject.named(element)) found")
            }
            let tablespace = try Self.tablespace(name, in: document)
            guard !tablespaces.contains(where: { $0.name == name }) else {
                throw document.damaged("tablespaces", "tablespace \(name) is listed twice")
            }
            if let other = tablespaces.first(where: { $0.location == tablespace.location }) {
                throw document.damaged("\(name).loc", "tablespace \(other.name) is at \(other.location) too")
            }
            tablespaces.append(tablespace)
        }
        self.init(basePrefix: basePrefix, tablespaces: tablespaces)
    }

    private static func tablespace(
        _ name: String, in document: DocumentObject
    ) throws(RepositoryError) -> Tablespace {
        guard let value = document.value.member(name) else { throw document.missing(name) }
        let member = try DocumentObject(value, object: document.object, member: document.path + name)
        guard let location = try member.string("loc") else { throw member.missing("loc") }
        guard let link = try member.string("link") else { throw member.missing("link") }
        let components = location.split(separator: "/")
        guard Path.isAbsolute(location), !components.isEmpty, !location.contains("\0"), !components.contains("..")
        else { throw member.damaged("loc", "an absolute path expected, '\(location)' found") }
        let tablespace = Tablespace(name: name, location: trimmed(location))
        guard trimmed(link) == tablespace.link else {
            throw member.damaged("link", "'\(tablespace.link)' expected, '\(link)' found")
        }
        return tablespace
    }

    private static func trimmed(_ path: String) -> String {
        var path = Substring(path)
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    /// Names of tablespaces that `other` has and this one says nothing of.
    package func missing(from other: TablespaceSpec) -> [String] {
        other.tablespaces.map(\.name).filter { name in !tablespaces.contains { $0.name == name } }
    }

    /// The JSON form, names sorted.
    package var json: JSONValue {
        var members = tablespaces.map { tablespace in
            JSONMember(
                tablespace.name,
                .object([
                    JSONMember("loc", .string(tablespace.location)), JSONMember("link", .string(tablespace.link)),
                ]))
        }
        members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        members.append(JSONMember("base_prefix", .string(basePrefix)))
        members.append(JSONMember("tablespaces", .array(tablespaces.map { .string($0.name) })))
        return .object(members)
    }
}
