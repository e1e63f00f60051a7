import Bytes
import Glibc
import Repository

/// Where the tablespaces of a backup go.
///
/// WAL-G makes links and locations below the *original* data directory, wherever it restores to. Here links are always
/// those of the destination, and a location that holds anything is never written into.
enum RestoreTablespaces {
    /// Chooses the locations: those of `--restore-spec` when there is one, else the original ones.
    ///
    /// - Throws: `ArchiverError` with `configuration` when the replacement does not name exactly the backup's
    ///   tablespaces, or a location cannot be one.
    static func plan(
        original: [TablespaceSpec.Tablespace], replacement: [TablespaceSpec.Tablespace]?, destination: String
    ) throws(ArchiverError) -> [TablespaceSpec.Tablespace] {
        for tablespace in original + (replacement ?? []) {
            guard UInt32(tablespace.name) != nil, tablespace.name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw ArchiverError(.corrupted, "tablespace '\(tablespace.name)': the name is not an OID")
            }
        }
        let chosen = replacement ?? original
        if let replacement {
            for missing in original where !replacement.contains(where: { $0.name == missing.name }) {
                throw ArchiverError(
                    .configuration,
                    "--restore-spec has no entry for tablespace \(missing.name) (was \(missing.location))")
            }
            for extra in replacement where !original.contains(where: { $0.name == extra.name }) {
                throw ArchiverError(
                    .configuration, "--restore-spec names tablespace \(extra.name), which the backup does not have")
            }
        }
        var seen: Set<String> = []
        for tablespace in chosen {
            let location = tablespace.location
            guard Path.isAbsolute(location), !location.split(separator: "/").contains("..") else {
                throw ArchiverError(
                    .configuration, "tablespace \(tablespace.name): '\(location)' is not an absolute path")
            }
            guard !isInside(location, destination), !isInside(destination, location) else {
                throw ArchiverError(
                    .configuration,
                    "tablespace \(tablespace.name): \(location) and the data directory \(destination) are one in the other"
                )
            }
            guard seen.insert(location).inserted else {
                throw ArchiverError(.configuration, "two tablespaces would share the location \(location)")
            }
        }
        return chosen
    }

    private static func isInside(_ path: String, _ folder: String) -> Bool {
        let folder = folder.split(separator: "/")
        return path.split(separator: "/").starts(with: folder)
    }

    /// Refuses locations that hold anything, and changes nothing.
    ///
    /// - Throws: `ArchiverError` with `conflict`; where the original locations are in use it shows the way out, a
    ///   ready `--restore-spec`.
    static func checkLocations(
        _ tablespaces: [TablespaceSpec.Tablespace], destination: String, isReplaced: Bool
    ) throws {
        for tablespace in tablespaces {
            guard let status = try FileSystem.status(tablespace.location) else { continue }
            guard status.kind == .directory else {
                throw ArchiverError(
                    .localFile,
                    "tablespace \(tablespace.name): \(tablespace.location) is a file, not a directory")
            }
            guard try !FileSystem.names(in: tablespace.location).isEmpty else { continue }
            var message = """
                tablespace \(tablespace.name): \(tablespace.location) is not empty: refused, nothing was touched.
                """
            if isReplaced {
                message += " Name an empty or new directory in --restore-spec"
            } else {
                message += """
                     Restore with --restore-spec FILE, where FILE names empty or new directories, for example:
                    \(template(tablespaces, destination: destination))
                    """
            }
            throw ArchiverError(.conflict, message)
        }
    }

    /// A `--restore-spec` for `destination`, every location with the destination's name added.
    static func template(_ tablespaces: [TablespaceSpec.Tablespace], destination: String) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for tablespace in tablespaces {
            writer.name(tablespace.name)
            writer.beginObject()
            writer.name("loc")
            writer.string(tablespace.location + "-" + Path.name(destination))
            writer.name("link")
            writer.string("pg_tblspc/\(tablespace.name)")
            writer.endObject()
        }
        writer.name("base_prefix")
        writer.string(destination)
        writer.name("tablespaces")
        writer.beginArray()
        for tablespace in tablespaces { writer.string(tablespace.name) }
        writer.endArray()
        writer.endObject()
        return String(decoding: writer.takeBytes(), as: UTF8.self)
    }

    /// Makes and opens the locations; those made, and what is above them, are made durable.
    static func open(
        _ tablespaces: [TablespaceSpec.Tablespace], mode: mode_t, owner: FileOwner?, syncs: Bool
    ) throws -> [String: DirectoryHandle] {
        var handles: [String: DirectoryHandle] = [:]
        for tablespace in tablespaces {
            try RestoreDestination.makeDirectory(tablespace.location, owner: owner, syncs: syncs)
            let handle = try DirectoryHandle(opening: tablespace.location)
            try handle.setMode(mode)
            if let owner { try handle.setOwner(owner) }
            handles[tablespace.name] = handle
        }
        return handles
    }
}
