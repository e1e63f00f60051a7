import Bytes
package import Postgres

/// What the sentinel says beyond WAL-G's members, under `WALS`: everything needed to verify the backup at rest.
package struct BackupIntegrity: Equatable, Sendable {
    /// An object of the backup as it is stored.
    package struct StoredObject: Equatable, Sendable {
        /// Relative to the backup's folder, for example `tar_partitions/part_001.tar.lz4`.
        package let name: String
        /// Stored bytes.
        package let byteCount: Int
        /// SHA-256 of the stored bytes, 32 bytes.
        package let sha256: [UInt8]

        package init(name: String, byteCount: Int, sha256: [UInt8]) {
            precondition(sha256.count == 32)
            self.name = name
            self.byteCount = byteCount
            self.sha256 = sha256
        }
    }

    /// The segments without which the backup does not become consistent.
    package struct WALRange: Equatable, Sendable {
        package let first: WALSegmentName
        package let last: WALSegmentName

        package init(first: WALSegmentName, last: WALSegmentName) {
            self.first = first
            self.last = last
        }
    }

    /// How the backup's objects are encrypted.
    package struct Encryption: Equatable, Sendable {
        package let scheme: String
        package let keyID: String

        package init(scheme: String, keyID: String) {
            self.scheme = scheme
            self.keyID = keyID
        }
    }

    /// The newest form this program knows.
    package static let currentVersion = 1

    package var version = Self.currentVersion
    /// The program that wrote it, with its version.
    package var tool: String
    package var objects: [StoredObject]
    package var walRange: WALRange?
    package var encryption: Encryption?

    package init(
        tool: String, objects: [StoredObject] = [], walRange: WALRange? = nil, encryption: Encryption? = nil
    ) {
        self.tool = tool
        self.objects = objects
        self.walRange = walRange
        self.encryption = encryption
    }

    init(_ document: DocumentObject) throws(RepositoryError) {
        guard let version: Int = try document.integer("version") else { throw document.missing("version") }
        guard version <= Self.currentVersion else {
            throw RepositoryError(
                .unsupported, object: document.object, member: document.path + "version",
                detail: "version \(version) is newer than this program, which knows \(Self.currentVersion)")
        }
        self.version = version
        tool = try document.string("tool") ?? ""
        objects = []
        for (index, element) in (try document.array("objects") ?? []).enumerated() {
            let member = "\(document.path)objects[\(index)]"
            objects.append(try Self.object(DocumentObject(element, object: document.object, member: member)))
        }
        if let range = try document.nested("walRange") {
            guard let first = WALSegmentName(try range.string("first") ?? "") else {
                throw range.damaged("first", "the name of a segment expected")
            }
            guard let last = WALSegmentName(try range.string("last") ?? "") else {
                throw range.damaged("last", "the name of a segment expected")
            }
            walRange = WALRange(first: first, last: last)
        }
        if let member = try document.nested("encryption") {
            guard let scheme = try member.string("scheme") else { throw member.missing("scheme") }
            guard let keyID = try member.string("keyID") else { throw member.missing("keyID") }
            encryption = Encryption(scheme: scheme, keyID: keyID)
        }
    }

    private static func object(_ document: DocumentObject) throws(RepositoryError) -> StoredObject {
        guard let name = try document.string("name") else { throw document.missing("name") }
        guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
            throw document.damaged("name", "a name within the backup's folder expected, '\(name)' found")
        }
        guard let byteCount: Int = try document.integer("size") else { throw document.missing("size") }
        guard byteCount >= 0 else { throw document.damaged("size", "a size cannot be \(byteCount)") }
        guard let digits = try document.string("sha256") else { throw document.missing("sha256") }
        guard let digest = Hex.decode(digits), digest.count == 32 else {
            throw document.damaged("sha256", "64 hexadecimal digits expected, '\(digits.prefix(80))' found")
        }
        return StoredObject(name: name, byteCount: byteCount, sha256: digest)
    }

    var json: JSONValue {
        var members = [
            JSONMember("version", .number(String(version))), JSONMember("tool", .string(tool)),
            JSONMember(
                "objects",
                .array(
                    objects.map { object in
                        .object([
                            JSONMember("name", .string(object.name)),
                            JSONMember("size", .number(String(object.byteCount))),
                            JSONMember("sha256", .string(Hex.encode(object.sha256))),
                        ])
                    })),
        ]
        if let walRange {
            members.append(
                JSONMember(
                    "walRange",
                    .object([
                        JSONMember("first", .string("\(walRange.first)")),
                        JSONMember("last", .string("\(walRange.last)")),
                    ])))
        }
        if let encryption {
            members.append(
                JSONMember(
                    "encryption",
                    .object([
                        JSONMember("scheme", .string(encryption.scheme)),
                        JSONMember("keyID", .string(encryption.keyID)),
                    ])))
        }
        return .object(members)
    }
}
