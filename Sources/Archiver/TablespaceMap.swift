import Bytes
package import Repository

/// The `tablespace_map` file, from which PostgreSQL makes the links anew when it starts from a backup.
///
/// One line each: OID, a space, the location with newline, carriage return and backslash escaped by a backslash.
/// Source: PostgreSQL, src/backend/access/transam/xlogrecovery.c, `read_tablespace_map`.
package enum TablespaceMap {
    package static func bytes(_ tablespaces: [TablespaceSpec.Tablespace]) -> [UInt8] {
        var bytes: [UInt8] = []
        for tablespace in tablespaces {
            bytes += Array(tablespace.name.utf8) + [0x20]
            for byte in tablespace.location.utf8 {
                if byte == 0x0A || byte == 0x0D || byte == 0x5C { bytes.append(0x5C) }
                bytes.append(byte)
            }
            bytes.append(0x0A)
        }
        return bytes
    }

    /// Reads the file.
    ///
    /// - Throws: `ArchiverError` with `corrupted` for a line that is not OID and location.
    package static func parse(_ bytes: [UInt8]) throws(ArchiverError) -> [TablespaceSpec.Tablespace] {
        var tablespaces: [TablespaceSpec.Tablespace] = []
        var line: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            if !isEscaped && byte == 0x5C {
                isEscaped = true
            } else if !isEscaped && (byte == 0x0A || byte == 0x0D) {
                if !line.isEmpty { tablespaces.append(try entry(line)) }
                line = []
            } else {
                isEscaped = false
                line.append(byte)
            }
        }
        guard line.isEmpty, !isEscaped else {
            throw ArchiverError(.corrupted, "tablespace_map: the last line has no end")
        }
        return tablespaces
    }

    private static func entry(_ line: [UInt8]) throws(ArchiverError) -> TablespaceSpec.Tablespace {
        let text = String(decoding: line, as: UTF8.self)
        guard let space = text.utf8.firstIndex(of: 0x20) else {
            throw ArchiverError(.corrupted, "tablespace_map: '\(text)' is not an OID and a location")
        }
        let oid = String(text[..<space])
        let location = String(text[text.utf8.index(after: space)...])
        guard UInt32(oid) != nil, !location.isEmpty else {
            throw ArchiverError(.corrupted, "tablespace_map: '\(text)' is not an OID and a location")
        }
        return TablespaceSpec.Tablespace(name: oid, location: location)
    }
}
