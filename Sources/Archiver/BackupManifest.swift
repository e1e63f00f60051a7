import Bytes
import Digests
import Postgres

/// Writes PostgreSQL's `backup_manifest`, line by line.
///
/// Version 1 for PostgreSQL 13 to 16; version 2, with the system identifier, from 17 on. Each file has a CRC-32C, which
/// is pg_basebackup's default too; the manifest itself a SHA-256 of all its lines but the last.
/// Source: PostgreSQL documentation, "Backup Manifest Format"; read by pg_verifybackup.
struct BackupManifest {
    private let digest = MessageDigest(.sha256)
    private var isFirst = true

    /// What comes before the files.
    mutating func begin(serverVersion: Int, systemIdentifier: UInt64) -> [UInt8] {
        var text = "{ \"PostgreSQL-Backup-Manifest-Version\": \(serverVersion >= 170_000 ? 2 : 1),\n"
        if serverVersion >= 170_000 { text += "\"System-Identifier\": \(systemIdentifier),\n" }
        return counted(text + "\"Files\": [")
    }

    /// One file; `path` is relative to the data directory, without a slash before it.
    mutating func file(_ path: String, byteCount: Int, modified: Timestamp, crc32c: UInt32) -> [UInt8] {
        var text = isFirst ? "\n" : ",\n"
        isFirst = false
        // The server prints the four bytes as they lie in memory.
        let checksum = Hex.encode((0..<4).map { UInt8(truncatingIfNeeded: crc32c >> UInt32(8 * $0)) })
        let time = modified.civil().dateAndTime.replacing("T", with: " ")
        text += "{ \"Path\": \(Self.quoted(path)), \"Size\": \(byteCount), \"Last-Modified\": \"\(time) GMT\", "
        text += "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"\(checksum)\" }"
        return counted(text)
    }

    /// The WAL that makes the backup consistent, and the end.
    mutating func end(timeline: TimelineID, start: LSN, stop: LSN) -> [UInt8] {
        let range = "{ \"Timeline\": \(timeline.rawValue), \"Start-LSN\": \"\(start)\", \"End-LSN\": \"\(stop)\" }"
        let lines = counted("\n],\n\"WAL-Ranges\": [\n\(range)\n],\n")
        return lines + Array("\"Manifest-Checksum\": \"\(Hex.encode(digest.finish()))\"}\n".utf8)
    }

    private func counted(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        digest.update(bytes.span.bytes)
        return bytes
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20: result += "\\u00" + Hex.digits(scalar.value, width: 2).lowercased()
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
