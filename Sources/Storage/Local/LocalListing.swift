import Bytes
import Glibc

/// One listing of a local directory: a walk in the order of the keys' bytes.
struct LocalListing {
    let root: String
    let prefix: String
    let recursive: Bool
    let startAfter: String?
    let limit: Int?
    private var listing = Listing()

    init(root: String, prefix: String, recursive: Bool, startAfter: String?, limit: Int?) {
        self.root = root
        self.prefix = prefix
        self.recursive = recursive
        self.startAfter = startAfter
        self.limit = limit
    }

    /// Walks and returns what was found.
    consuming func run() throws(StorageError) -> Listing {
        let folder: String
        if let slash = prefix.utf8.lastIndex(of: 0x2F) {
            folder = String(prefix[...slash])
            // No key has such a folder, so nothing begins with the prefix.
            guard LocalPath.objection(to: ObjectKey(folder + "x")) == nil else { return listing }
        } else {
            folder = ""
            guard !prefix.utf8.contains(0) else { return listing }
        }
        _ = try walk(folder)
        return listing
    }

    /// Lists the keys below `folder` (empty, or ending in a slash) that begin with the prefix; false to stop.
    private mutating func walk(_ folder: String) throws(StorageError) -> Bool {
        for entry in try entries(folder) {
            if entry.isFolder {
                // All keys of the folder begin with its name: either all come too early, or one may not.
                if let startAfter, precedes(entry.key, startAfter), !begins(startAfter, with: entry.key) { continue }
                if recursive {
                    guard try walk(entry.key) else { return false }
                } else if try holdsObject(entry.key) {
                    guard hasRoom() else { return false }
                    listing.folders.append(entry.key)
                }
            } else {
                if let startAfter, !precedes(startAfter, entry.key) { continue }
                guard let status = try status(entry.key), status.kind == .regular else { continue }
                guard hasRoom() else { return false }
                listing.objects.append(ObjectInfo(ObjectKey(entry.key), status))
            }
        }
        return true
    }

    private struct Entry {
        let key: String
        let isFolder: Bool
    }

    /// The entries of a folder as keys, folders with their slash, in the order of their bytes.
    private func entries(_ folder: String) throws(StorageError) -> [Entry] {
        let path = folder.isEmpty ? root : Path.join(root, folder)
        let names: [String]
        do throws(SystemError) {
            names = try FileSystem.names(in: path)
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            // Nothing begins with the prefix, or a deletion came in between.
            return []
        } catch {
            throw StorageError(error, operation: "list", key: ObjectKey(folder))
        }
        var entries: [Entry] = []
        entries.reserveCapacity(names.count)
        for name in names where !LocalPath.isTemporary(name) {
            let key = folder + name
            // Made by mkfs in the root of a file system, for its owner alone.
            if key == "lost+found" { continue }
            let isFolder = try status(key)?.kind == .directory
            let text = isFolder ? key + "/" : key
            guard begins(text, with: prefix) || (isFolder && begins(prefix, with: text)) else { continue }
            entries.append(Entry(key: text, isFolder: isFolder))
        }
        return entries.sorted { precedes($0.key, $1.key) }
    }

    /// Whether a folder holds a key to list: S3 knows no empty folders.
    private func holdsObject(_ folder: String) throws(StorageError) -> Bool {
        let inner = LocalListing(root: root, prefix: folder, recursive: true, startAfter: startAfter, limit: 1)
        return try !inner.run().objects.isEmpty
    }

    private func status(_ key: String) throws(StorageError) -> FileStatus? {
        do throws(SystemError) {
            return try FileSystem.status(Path.join(root, key))
        } catch {
            throw StorageError(error, operation: "list", key: ObjectKey(key))
        }
    }

    private mutating func hasRoom() -> Bool {
        if let limit, listing.objects.count + listing.folders.count >= limit {
            listing.isTruncated = true
            return false
        }
        return true
    }
}

/// Bytewise order, which is the stores'; Swift's own order of strings is another.
func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

/// Bytewise beginning; `hasPrefix` takes different spellings of one character for equal.
func begins(_ text: String, with prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }
