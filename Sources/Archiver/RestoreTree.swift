import Bytes
import Glibc
import Repository

/// The directories a backup is restored into: the data directory and the tablespaces' locations.
///
/// Members of a tablespace (`pg_tblspc/16390/…`) go straight to its location, never through the link.
final class RestoreTree: Sendable {
    private struct DirectoryFacts {
        var mode: mode_t?
        var modified: Timestamp?
    }

    let root: DirectoryHandle
    /// The mode of directories that the backup says nothing of, 0700 or 0750.
    let directoryMode: mode_t
    /// Whom everything belongs to; nil: whoever runs this.
    let owner: FileOwner?
    /// How what is written becomes durable.
    let durability: RestoreDurability
    private let locations: [String: DirectoryHandle]
    private let directories = Locked<[MemberPath: DirectoryFacts]>([:])

    /// Directories of the cluster are below `root`, those of tablespaces, by OID, in `locations`.
    ///
    /// All of them were opened before anything was written: see `RestoreDurability`.
    init(
        root: DirectoryHandle, locations: [String: DirectoryHandle], directoryMode: mode_t, owner: FileOwner?,
        durability: RestoreDurability
    ) {
        self.root = root
        self.durability = durability
        self.locations = locations
        self.directoryMode = directoryMode
        self.owner = owner
    }

    /// The directory at `path`, made with all above it where missing.
    func directory(_ path: MemberPath) throws(SystemError) -> DirectoryHandle {
        var components = path.components[...]
        var current = root
        var walked = ""
        if components.count >= 2, components[0] == "pg_tblspc", let location = locations[String(components[1])] {
            current = location
            walked = "pg_tblspc/" + components[1]
            components = components.dropFirst(2)
        }
        for component in components {
            walked += walked.isEmpty ? String(component) : "/" + component
            current = try child(String(component), of: current, MemberPath(trusted: walked))
        }
        return current
    }

    private func child(
        _ name: String, of parent: DirectoryHandle, _ path: MemberPath
    ) throws(SystemError) -> DirectoryHandle {
        if let directory = try parent.directory(name) { return directory }
        let isNew = try parent.makeDirectory(name)
        guard let directory = try parent.directory(name) else {
            throw SystemError(call: "openat", path: Path.join(parent.path, name), code: ENOENT)
        }
        if isNew {
            try directory.setMode(directoryMode)
            if let owner { try directory.setOwner(owner) }
        }
        directories.withLock { if $0[path] == nil { $0[path] = DirectoryFacts() } }
        return directory
    }

    /// The directory that holds `path`, and the last component.
    func parent(of path: MemberPath) throws(SystemError) -> (directory: DirectoryHandle, name: String) {
        guard let slash = path.text.utf8.lastIndex(of: 0x2F) else { return (root, path.text) }
        let folder = MemberPath(trusted: String(path.text[..<slash]))
        return (try directory(folder), String(path.text[path.text.utf8.index(after: slash)...]))
    }

    /// Makes a directory of the backup with its mode; its time is set by `finish`, after its contents.
    func addDirectory(_ path: MemberPath, mode: mode_t, modified: Timestamp) throws(SystemError) {
        guard !path.isRoot else { return }
        let directory = try directory(path)
        // Without these three bits the restore could not write into it, nor could PostgreSQL.
        let mode = mode & 0o777 | 0o700
        try directory.setMode(mode)
        directories.withLock { $0[path] = DirectoryFacts(mode: mode, modified: modified) }
    }

    /// Makes links from `pg_tblspc` to the locations.
    func linkTablespaces(_ tablespaces: [TablespaceSpec.Tablespace]) throws(SystemError) {
        guard !tablespaces.isEmpty else { return }
        let folder = try directory(MemberPath(trusted: "pg_tblspc"))
        for tablespace in tablespaces {
            try folder.makeSymbolicLink(tablespace.name, to: tablespace.location)
            if let owner { try folder.setOwner(owner, ofLink: tablespace.name) }
        }
    }

    /// Writes a small file whole, under `name` only when it is durable.
    func writeSmallFile(
        _ path: MemberPath, _ bytes: [UInt8], mode: mode_t, modified: Timestamp?, syncs: Bool
    ) throws(SystemError) {
        let (directory, name) = try parent(of: path)
        let temporary = name + ".wals_incomplete"
        let file = try directory.createFile(temporary)
        try file.write(bytes.span.bytes)
        try file.setMode(mode)
        if let owner { try owner.apply(to: file) }
        if let modified { try file.setModified(modified) }
        if syncs { try file.sync() }
        try file.close()
        try directory.rename(temporary, to: name)
        if syncs { try directory.sync() }
    }

    /// Gives the directories their times, deepest first, and makes durable what is not yet: the directories, and where
    /// files are not made so one by one, all files too.
    func finish() throws(SystemError) {
        let all = directories.withLock { $0 }
        for path in all.keys.sorted(by: { $1.text.utf8.lexicographicallyPrecedes($0.text.utf8) }) {
            let handle = try directory(path)
            if let modified = all[path]?.modified { try handle.setModified(modified) }
            if durability == .eachFile { try handle.sync() }
        }
        let tops = [root] + locations.values
        switch durability {
        case .none: return
        case .eachFile: for top in tops { try top.sync() }
        case .fileSystems:
            var done: Set<UInt> = []
            for top in tops where done.insert(try top.status().device).inserted { try top.syncFileSystem() }
        }
    }
}
