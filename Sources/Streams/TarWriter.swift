import Bytes

/// Makes the headers and the padding of a tar archive: ustar, with PAX records where ustar has no room.
///
/// Whoever writes a member sends its header, exactly `byteCount` bytes, and the padding; at the end `end`.
package struct TarWriter: Sendable {
    /// What ends an archive: two blocks of zeros.
    package static let end = [UInt8](repeating: 0, count: 2 * TarHeader.byteCount)

    package init() {}

    /// The header of a member, a multiple of 512 bytes.
    ///
    /// The entry is a regular file, a directory or a link, and its strings have no NUL, as no file's have.
    package func header(for entry: TarEntry) -> [UInt8] {
        precondition(entry.byteCount >= 0 && entry.userID >= 0 && entry.groupID >= 0)
        precondition(!entry.path.utf8.isEmpty && !entry.path.utf8.contains(0) && !entry.linkTarget.utf8.contains(0))
        var header = TarHeader()
        var records: [UInt8] = []
        switch entry.kind {
        case .regular:
            header.type = TarHeader.TypeFlag.regular
            header.size = entry.byteCount
        case .directory: header.type = TarHeader.TypeFlag.directory
        case .symbolicLink: header.type = TarHeader.TypeFlag.symbolicLink
        case .hardLink: header.type = TarHeader.TypeFlag.hardLink
        case .other: preconditionFailure("devices and pipes are not archived")
        }
        header.mode = Int(entry.mode & 0o7777)
        header.userID = entry.userID
        header.groupID = entry.groupID
        header.modified = Int(entry.modified.seconds) + (entry.modified.nanoseconds >= 500_000_000 ? 1 : 0)
        header.linkName = Array(entry.linkTarget.utf8)
        header.userName = Array(entry.userName.utf8)
        header.groupName = Array(entry.groupName.utf8)
        let path = Array(entry.path.utf8)
        if let split = Self.split(path) {
            (header.prefix, header.name) = split
        } else {
            header.name = path
            records += PAXRecords.record("path", path)
        }
        func record(_ key: String, _ text: [UInt8], limit: Int) {
            if text.count > limit || !Self.isASCII(text) { records += PAXRecords.record(key, text) }
        }
        func record(_ key: String, _ value: Int, limit: Int) {
            if value < 0 || value > limit { records += PAXRecords.record(key, String(value).utf8) }
        }
        record("linkpath", header.linkName, limit: 100)
        record("uname", header.userName, limit: 31)
        record("gname", header.groupName, limit: 31)
        record("size", header.size, limit: TarHeader.largestSize)
        record("uid", header.userID, limit: TarHeader.largestID)
        record("gid", header.groupID, limit: TarHeader.largestID)
        record("mtime", header.modified, limit: TarHeader.largestSize)
        return (records.isEmpty ? [] : extended(records, for: path)) + header.block()
    }

    /// The zeros that fill up the last block of a body.
    package func padding(after byteCount: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: -byteCount & (TarHeader.byteCount - 1))
    }

    private func extended(_ records: [UInt8], for path: [UInt8]) -> [UInt8] {
        var header = TarHeader()
        header.type = TarHeader.TypeFlag.extended
        header.mode = 0o644
        header.size = records.count
        // The name is for readers that do not know PAX, which make a file of the records.
        let base = (path.split(separator: UInt8(ascii: "/")).last ?? []).filter { $0 < 0x80 }
        header.name = [UInt8]("PaxHeaders.0/".utf8) + base
        return header.block() + records + padding(after: records.count)
    }

    private static func isASCII(_ text: [UInt8]) -> Bool { text.allSatisfy { $0 < 0x80 } }

    /// Prefix and name of a path that ustar has room for, or nil.
    private static func split(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        guard isASCII(path) else { return nil }
        if path.count <= 100 { return ([], path) }
        // The slash between them is not stored; neither side may be empty.
        guard path.count <= 256,
            let slash = path.prefix(min(156, path.count - 1)).lastIndex(of: UInt8(ascii: "/")),
            slash > 0, path.count - slash - 1 <= 100
        else { return nil }
        return (Array(path[..<slash]), Array(path[(slash + 1)...]))
    }
}
