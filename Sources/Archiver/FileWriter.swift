import Bytes
import Glibc

/// Writes the regular files of one stream, one after the other, below a `RestoreTree`.
///
/// Not shared: each stream has its own.
final class FileWriter {
    /// The kernel is told to begin writing files from this size on; smaller ones it gathers better by itself.
    private static let writtenAtOnce = 1 << 20

    private let tree: RestoreTree
    private var file: FileDescriptor?
    private var folder: (path: Substring, directory: DirectoryHandle)?
    /// Bytes written into the open file.
    private(set) var byteCount = 0
    /// CRC-32C of the bytes written into the open file.
    private(set) var checksum = CRC32C()

    init(_ tree: RestoreTree) { self.tree = tree }

    /// Opens the file for writing; an earlier attempt's contents go.
    func begin(_ path: MemberPath, mode: mode_t) throws(SystemError) {
        let (directory, name) = try place(of: path)
        let opened = try directory.createFile(name)
        try opened.setMode(mode & 0o777 | 0o600)
        if let owner = tree.owner { try owner.apply(to: opened) }
        byteCount = 0
        checksum = CRC32C()
        file = consume opened
    }

    /// Neighbours in a tar mostly share their directory: the last one is kept open.
    private func place(of path: MemberPath) throws(SystemError) -> (directory: DirectoryHandle, name: String) {
        guard let slash = path.text.utf8.lastIndex(of: 0x2F) else { return (tree.root, path.text) }
        let name = String(path.text[path.text.utf8.index(after: slash)...])
        if let folder, folder.path == path.text[..<slash] { return (folder.directory, name) }
        let (directory, _) = try tree.parent(of: path)
        folder = (path.text[..<slash], directory)
        return (directory, name)
    }

    func append(_ bytes: RawSpan) throws(SystemError) {
        precondition(file != nil, "append without begin")
        checksum.update(bytes)
        byteCount += bytes.byteCount
        try file?.write(bytes)
    }

    /// Closes the file, its time set, and its contents durable where files are made so one by one.
    func end(modified: Timestamp) throws(SystemError) {
        guard let closing = file.take() else { preconditionFailure("end without begin") }
        try closing.setModified(modified)
        switch tree.durability {
        case .none: break
        case .eachFile: try closing.sync()
        // What waits for the end is to be little.
        case .fileSystems: if byteCount >= Self.writtenAtOnce { closing.startWriting() }
        }
        try closing.close()
    }
}
