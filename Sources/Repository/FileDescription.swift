package import Bytes

/// What the files metadata says of one file or directory of a backup.
package struct FileDescription: Equatable, Sendable {
    /// Pages whose checksum was wrong when the file was read.
    package struct CorruptPages: Equatable, Sendable {
        package let count: Int
        /// Page numbers within the segment file, ascending; perhaps not all.
        package let pages: [UInt32]

        package init(count: Int, pages: [UInt32]) {
            self.count = count
            self.pages = pages
        }
    }

    /// The tar member's name: WAL-G's local backups and ours begin with `/`, remote ones do not.
    package var path: String
    /// True: the tar member is an increment.
    package var isIncremented = false
    /// True: there is no tar member; the file is as it was in the parent.
    package var isSkipped = false
    /// From before the file was read, in the zone of the backup's host.
    package var modified: ZonedTimestamp
    package var corruptPages: CorruptPages?
    package var updatesCount: UInt64 = 0
    /// Bytes of the tar member's body; nil in what WAL-G wrote and for directories and skipped files.
    package var byteCount: Int?
    /// CRC-32C of the tar member's body; nil where `byteCount` is.
    package var crc32c: UInt32?

    package init(path: String, modified: ZonedTimestamp) {
        self.path = path
        self.modified = modified
    }

    /// Reads the value of the member `path` of `Files`.
    init(path: String, _ document: DocumentObject) throws(RepositoryError) {
        self.path = path
        isIncremented = try document.bool("IsIncremented") ?? false
        isSkipped = try document.bool("IsSkipped") ?? false
        guard !isIncremented || !isSkipped else {
            throw document.damaged("IsSkipped", "a skipped file cannot be an increment")
        }
        modified = try document.time("MTime") ?? ZonedTimestamp(.unset)
        if let corrupt = try document.nested("CorruptBlocks") {
            var pages: [UInt32] = []
            for element in try corrupt.array("SomeCorruptBlocks") ?? [] {
                guard let page: UInt32 = element.integer() else {
                    throw corrupt.damaged("SomeCorruptBlocks", "the number of a page expected")
                }
                pages.append(page)
            }
            corruptPages = CorruptPages(count: try corrupt.integer("CorruptBlocksCount") ?? 0, pages: pages)
        }
        updatesCount = try document.integer("UpdatesCount") ?? 0
        byteCount = try document.integer("Size")
        if let byteCount, byteCount < 0 { throw document.damaged("Size", "a size cannot be \(byteCount)") }
        if let digits = try document.string("CRC32C") {
            guard digits.utf8.count == 8, let value = Hex.decode(digits) else {
                throw document.damaged("CRC32C", "eight hexadecimal digits expected, '\(digits.prefix(20))' found")
            }
            crc32c = value.reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// Writes the member of `Files`.
    func write(to writer: inout JSONWriter) {
        writer.name(path)
        writer.beginObject()
        writer.name("IsIncremented")
        writer.bool(isIncremented)
        writer.name("IsSkipped")
        writer.bool(isSkipped)
        writer.name("MTime")
        writer.string(modified.description)
        if let corruptPages {
            writer.name("CorruptBlocks")
            writer.beginObject()
            writer.name("CorruptBlocksCount")
            writer.number(corruptPages.count)
            writer.name("SomeCorruptBlocks")
            writer.beginArray()
            for page in corruptPages.pages { writer.number(page) }
            writer.endArray()
            writer.endObject()
        }
        writer.name("UpdatesCount")
        writer.number(updatesCount)
        if let byteCount {
            writer.name("Size")
            writer.number(byteCount)
        }
        if let crc32c {
            writer.name("CRC32C")
            writer.string(Hex.digits(crc32c, width: 8).lowercased())
        }
        writer.endObject()
    }
}
