/// A file of a relation, told by its path below PGDATA.
///
/// `base/DB/REL`, `global/REL` and `pg_tblspc/SPACE/PG_x_y/DB/REL`, where the last component is the relation's file
/// number, then `_fsm`, `_vm` or `_init` for a fork, then `.N` for each gigabyte after the first. Temporary relations
/// have `tBACKEND_` in front. Nothing else has pages with checksums: not `pg_control`, `pg_filenode.map`,
/// `pg_internal.init`, `PG_VERSION`, nor temporary files.
/// Source: PostgreSQL 17, src/common/relpath.c and `parse_filename_for_nontemp_relation` in src/backend/storage/file/reinit.c.
package struct RelationPath: Hashable, Sendable {
    package enum Fork: String, Sendable {
        case main = ""
        case freeSpaceMap = "fsm"
        case visibilityMap = "vm"
        /// Its presence makes the relation an unlogged one.
        case initial = "init"
    }

    /// Where the relation lies.
    package enum Place: Hashable, Sendable {
        case global
        case base
        case tablespace(oid: UInt32)
    }

    /// A relation with all its forks and segments.
    package struct Relation: Hashable, Sendable {
        package let place: Place
        /// The OID of the database; 0 in `global`.
        package let database: UInt32
        /// The relation's file number (relfilenode), which is not always its OID.
        package let number: UInt32
        /// The backend that owns a temporary relation; nil for any other.
        package let backend: UInt32?

        package init(place: Place, database: UInt32, number: UInt32, backend: UInt32? = nil) {
            self.place = place
            self.database = database
            self.number = number
            self.backend = backend
        }
    }

    package let relation: Relation
    package let fork: Fork
    /// The gigabyte of the fork that the file holds, from 0.
    package let segment: UInt32

    package var isTemporary: Bool { relation.backend != nil }

    /// The number, within the fork, of the file's first block.
    package var firstBlock: UInt32 { segment &* PageHeader.pagesPerSegment }

    /// Nil when the path, which is relative to PGDATA and has `/` between components, is no relation's.
    package init?(_ path: some StringProtocol) {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let file = parts.last else { return nil }
        func named(_ index: Int, _ name: StaticString) -> Bool { parts[index].elementsEqual(name.description.utf8) }
        let place: Place
        var database: UInt32 = 0
        switch parts.count {
        case 2 where named(0, "global"):
            place = .global
        case 3 where named(0, "base"):
            guard let oid = parseOID(parts[1]) else { return nil }
            place = .base
            database = oid
        case 5 where named(0, "pg_tblspc"):
            guard let space = parseOID(parts[1]), isVersionDirectory(parts[2]), let oid = parseOID(parts[3])
            else { return nil }
            place = .tablespace(oid: space)
            database = oid
        default: return nil
        }
        self.init(file: Array(file)[...], place: place, database: database)
    }

    private init?(file: ArraySlice<UInt8>, place: Place, database: UInt32) {
        var stem = file
        if let dot = stem.firstIndex(of: UInt8(ascii: ".")) {
            guard let number = parseOID(stem[(dot + 1)...]), number < UInt32.max / PageHeader.pagesPerSegment + 1
            else { return nil }
            segment = number
            stem = stem[..<dot]
        } else {
            segment = 0
        }
        var backend: UInt32?
        if stem.first == UInt8(ascii: "t") {
            guard let underscore = stem.firstIndex(of: UInt8(ascii: "_")),
                let number = parseNumber(stem[(stem.startIndex + 1)..<underscore])
            else { return nil }
            backend = number
            stem = stem[(underscore + 1)...]
        }
        if let underscore = stem.firstIndex(of: UInt8(ascii: "_")) {
            guard let fork = Fork(rawValue: String(decoding: stem[(underscore + 1)...], as: UTF8.self)), fork != .main
            else { return nil }
            self.fork = fork
            stem = stem[..<underscore]
        } else {
            fork = .main
        }
        guard let number = parseOID(stem) else { return nil }
        relation = Relation(place: place, database: database, number: number, backend: backend)
    }
}

/// A decimal number of 32 bits without leading zeros; nil for anything else.
private func parseNumber(_ digits: some Collection<UInt8>) -> UInt32? {
    guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1, digits.count <= 10,
        digits.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self))
}

private func parseOID(_ digits: some Collection<UInt8>) -> UInt32? {
    guard let number = parseNumber(digits), number > 0 else { return nil }
    return number
}

/// Whether a tablespace's folder is one of a server's version, for example `PG_15_202209061`.
private func isVersionDirectory(_ name: some Collection<UInt8>) -> Bool {
    let parts = name.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0].elementsEqual("PG".utf8) && parseOID(parts[1]) != nil
        && parseOID(parts[2]) != nil
}
