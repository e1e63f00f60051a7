import Bytes

/// Reads `files_metadata.json` in chunks, holding one file's description at a time.
///
/// A name that comes twice is passed on twice; the last counts.
package struct FilesMetadataReader: Sendable {
    private enum Section {
        case files, tars, databases, unknown

        init(_ name: String) {
            if JSONMember.isSameIgnoringCase(name, "Files") {
                self = .files
            } else if JSONMember.isSameIgnoringCase(name, "TarFileSets") {
                self = .tars
            } else if JSONMember.isSameIgnoringCase(name, "DatabasesByNames") {
                self = .databases
            } else {
                self = .unknown
            }
        }

        var name: String {
            switch self {
            case .files: "Files"
            case .tars: "TarFileSets"
            case .databases: "DatabasesByNames"
            case .unknown: ""
            }
        }
    }

    private let object: String
    private var json = JSONReader()
    private var section = Section.unknown
    /// The member of the section under way.
    private var name = ""
    private var builder = JSONValueBuilder()
    private var files = 0

    /// `object` is the document's key, for messages.
    package init(object: String) { self.object = object }

    /// Files passed on so far.
    package var fileCount: Int { files }

    /// Reads the next chunk and passes on what it completes.
    package mutating func update(
        _ chunk: RawSpan, _ receive: (FilesMetadataEntry) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        var position = 0
        while true {
            let token: JSONToken?
            do { token = try json.next(chunk, from: &position) } catch { throw RepositoryError(error, object: object) }
            guard let token else { return }
            try take(token, depth: json.depth, receive)
        }
    }

    /// Ends the document.
    ///
    /// - Throws: `damaged` when it is not complete.
    package mutating func finish() throws(RepositoryError) {
        let token: JSONToken?
        do { token = try json.finish() } catch { throw RepositoryError(error, object: object) }
        if token != nil { throw damaged("", "an object expected") }
    }

    /// `depth` is that after the token: 1 in the document, 2 in a section, 3 in a file's description or a tar's list.
    private mutating func take(
        _ token: JSONToken, depth: Int, _ receive: (FilesMetadataEntry) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        switch (depth, token) {
        case (0, .endObject), (1, .beginObject): return
        case (0, _), (1, .beginArray): throw damaged("", "an object expected")
        case (1, .name(let text)):
            section = Section(text)
            return
        default: break
        }
        guard section != .unknown else { return }
        switch (depth, token) {
        case (1, .null), (1, .endObject): return
        case (1, _), (2, .beginArray): throw damaged(section.name, "an object expected")
        case (2, .beginObject): return
        case (2, .name(let text)):
            name = text
            builder = JSONValueBuilder()
            if section == .tars { try receive(.tar(text)) }
        default: try takeInSection(token, depth: depth, receive)
        }
    }

    private mutating func takeInSection(
        _ token: JSONToken, depth: Int, _ receive: (FilesMetadataEntry) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        guard section == .tars else {
            builder.add(token)
            guard depth == 2, let value = builder.value else { return }
            if value.isNull { return try receiveValue(.object([]), receive) }
            return try receiveValue(value, receive)
        }
        switch (depth, token) {
        case (3, .string(let path)): try receive(.tarMember(path: path, tar: name))
        case (3, .beginArray), (2, .endArray), (2, .null): return
        default: throw damaged("\(section.name).\(name)", "an array of strings expected")
        }
    }

    private mutating func receiveValue(
        _ value: JSONValue, _ receive: (FilesMetadataEntry) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        let document = try DocumentObject(value, object: object, member: "\(section.name).\(name)")
        if section == .files {
            files += 1
            try receive(.file(FileDescription(path: name, document)))
        } else {
            try receive(.database(DatabaseDescription(name: name, document)))
        }
    }

    private func damaged(_ member: String, _ detail: String) -> RepositoryError {
        RepositoryError(.damaged, object: object, member: member, detail: detail)
    }
}
