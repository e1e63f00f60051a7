package import Bytes

/// Which cluster a prefix belongs to: a small document of ours at its root.
package struct ClusterClaim: Equatable, Sendable {
    /// A cluster the prefix belonged to before.
    package struct Change: Equatable, Sendable {
        package let systemIdentifier: UInt64
        package let claimedAt: Timestamp
        package let replacedAt: Timestamp

        package init(systemIdentifier: UInt64, claimedAt: Timestamp, replacedAt: Timestamp) {
            self.systemIdentifier = systemIdentifier
            self.claimedAt = claimedAt
            self.replacedAt = replacedAt
        }
    }

    /// The newest form this program knows.
    package static let currentVersion = 1

    package let systemIdentifier: UInt64
    package let claimedAt: Timestamp
    package let hostname: String
    /// The program that claimed, with its version.
    package let tool: String
    /// Oldest first.
    package let history: [Change]

    package init(
        systemIdentifier: UInt64, claimedAt: Timestamp, hostname: String, tool: String, history: [Change] = []
    ) {
        self.systemIdentifier = systemIdentifier
        self.claimedAt = claimedAt
        self.hostname = hostname
        self.tool = tool
        self.history = history
    }

    /// The claim of another cluster on the same prefix, with this one in its history.
    package func replaced(
        by systemIdentifier: UInt64, at time: Timestamp, hostname: String, tool: String
    ) -> ClusterClaim {
        let change = Change(systemIdentifier: self.systemIdentifier, claimedAt: claimedAt, replacedAt: time)
        return ClusterClaim(
            systemIdentifier: systemIdentifier, claimedAt: time, hostname: hostname, tool: tool,
            history: history + [change])
    }

    /// Reads the document; `object` is its key, for messages.
    package init(parsing bytes: [UInt8], object: String) throws(RepositoryError) {
        let document = try DocumentObject(parsing: bytes, object: object)
        guard let version: Int = try document.integer("version") else { throw document.missing("version") }
        guard version <= Self.currentVersion else {
            throw RepositoryError(
                .unsupported, object: object, member: "version",
                detail: "version \(version) is newer than this program, which knows \(Self.currentVersion)")
        }
        systemIdentifier = try Self.identifier(document)
        claimedAt = try Self.time("claimed_at", document)
        hostname = try document.string("hostname") ?? ""
        tool = try document.string("tool") ?? ""
        var history: [Change] = []
        for (index, element) in (try document.array("history") ?? []).enumerated() {
            let change = try DocumentObject(element, object: object, member: "history[\(index)]")
            history.append(
                Change(
                    systemIdentifier: try Self.identifier(change), claimedAt: try Self.time("claimed_at", change),
                    replacedAt: try Self.time("replaced_at", change)))
        }
        self.history = history
    }

    /// Text, or a number for those who edit by hand.
    private static func identifier(_ document: DocumentObject) throws(RepositoryError) -> UInt64 {
        let name = "system_identifier"
        guard let value = document.member(name) else { throw document.missing(name) }
        guard let number = value.integer(UInt64.self) ?? value.string.flatMap({ UInt64($0) }) else {
            throw document.damaged(
                name, "an integer of 64 bits expected, \(DocumentObject.named(value)) found")
        }
        return number
    }

    private static func time(_ name: String, _ document: DocumentObject) throws(RepositoryError) -> Timestamp {
        guard let time = try document.time(name) else { throw document.missing(name) }
        return time.instant
    }

    /// The document, indented, with a newline at its end: it is for people too.
    ///
    /// The identifier is text, because `jq` and others round numbers above 2^53.
    package func encoded() -> [UInt8] {
        let changes: [JSONValue] = history.map { change in
            .object([
                JSONMember("system_identifier", .string(String(change.systemIdentifier))),
                JSONMember("claimed_at", .string(change.claimedAt.rfc3339())),
                JSONMember("replaced_at", .string(change.replacedAt.rfc3339())),
            ])
        }
        let value = JSONValue.object([
            JSONMember("version", .number(String(Self.currentVersion))),
            JSONMember("system_identifier", .string(String(systemIdentifier))),
            JSONMember("claimed_at", .string(claimedAt.rfc3339())),
            JSONMember("hostname", .string(hostname)),
            JSONMember("tool", .string(tool)),
            JSONMember("history", .array(changes)),
        ])
        return JSONWriter.bytes(of: value, indent: "  ") + [0x0A]
    }
}
