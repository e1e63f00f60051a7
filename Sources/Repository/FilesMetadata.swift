import Bytes

/// The files of a backup, all in memory: for sentinels of version 1 and for backups known to be small.
///
/// Large ones are read and written piece by piece, with `FilesMetadataReader` and `FilesMetadataWriter`.
package struct FilesMetadata: Equatable, Sendable {
    /// By tar member name.
    package var files: [String: FileDescription] = [:]
    /// For each tar object its members, as packed; empty when unknown.
    package var tarFileSets: [String: [String]] = [:]
    package var databases: [String: DatabaseDescription] = [:]

    package init() {}

    /// Reads a whole document; `object` is its key, for messages.
    package init(parsing bytes: [UInt8], object: String) throws(RepositoryError) {
        var metadata = FilesMetadata()
        var reader = FilesMetadataReader(object: object)
        try reader.update(bytes.span.bytes) { entry in metadata.add(entry) }
        try reader.finish()
        self = metadata
    }

    /// Reads what stands in a sentinel of version 1.
    init(_ sentinel: DocumentObject) throws(RepositoryError) {
        for member in try sentinel.nested("Files")?.value.object ?? [] {
            let value = try DocumentObject(member.value, object: sentinel.object, member: "Files.\(member.name)")
            files[member.name] = try FileDescription(path: member.name, value)
        }
        for member in try sentinel.nested("TarFileSets")?.value.object ?? [] {
            var paths: [String] = []
            for element in member.value.array ?? [] {
                guard let path = element.string else {
                    throw sentinel.damaged("TarFileSets.\(member.name)", "an array of strings expected")
                }
                paths.append(path)
            }
            guard member.value.array != nil || member.value.isNull else {
                throw sentinel.damaged("TarFileSets.\(member.name)", "an array of strings expected")
            }
            tarFileSets[member.name] = paths
        }
    }

    /// Takes what a reader found; of files with one name the last counts.
    package mutating func add(_ entry: FilesMetadataEntry) {
        switch entry {
        case .file(let file): files[file.path] = file
        case .tar(let name): tarFileSets[name] = []
        case .tarMember(let path, let tar): tarFileSets[tar, default: []].append(path)
        case .database(let database): databases[database.name] = database
        }
    }
}

/// A piece of the files metadata, in document order.
package enum FilesMetadataEntry: Equatable, Sendable {
    case file(FileDescription)
    /// A tar object's name; its members follow.
    case tar(String)
    case tarMember(path: String, tar: String)
    case database(DatabaseDescription)
}
