import Bytes

/// Writes `files_metadata.json` piece by piece: first the files, then the tars, then the databases.
///
/// What is written is handed to the closure of each call in chunks of about 64 KiB; the bytes are borrowed for the call.
package struct FilesMetadataWriter: Sendable {
    private enum Section: Int { case none, files, tars, databases }

    private var json = JSONWriter()
    private var section = Section.none
    private let chunkSize: Int

    package init(chunkSize: Int = 65536) {
        self.chunkSize = chunkSize
        json.beginObject()
    }

    package mutating func add<Failure: Error>(
        _ file: FileDescription, _ emit: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        enter(.files, "Files")
        file.write(to: &json)
        try flush(emit)
    }

    /// Adds a tar object with its members, as packed.
    ///
    /// `members` is run through once: it need not hold all paths.
    package mutating func addTar<Failure: Error>(
        _ name: String, members: some Sequence<String>, _ emit: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        enter(.tars, "TarFileSets")
        json.name(name)
        json.beginArray()
        for member in members {
            json.string(member)
            try flush(emit)
        }
        json.endArray()
        try flush(emit)
    }

    package mutating func add<Failure: Error>(
        _ database: DatabaseDescription, _ emit: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        enter(.databases, "DatabasesByNames")
        database.write(to: &json)
        try flush(emit)
    }

    /// Closes the document; the last call.
    package mutating func finish<Failure: Error>(_ emit: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        if section != .none { json.endObject() }
        json.endObject()
        try flush(emit, all: true)
    }

    private mutating func enter(_ next: Section, _ name: String) {
        guard next != section else { return }
        precondition(next.rawValue > section.rawValue, "files, then tars, then databases")
        if section != .none { json.endObject() }
        json.name(name)
        json.beginObject()
        section = next
    }

    private mutating func flush<Failure: Error>(
        _ emit: (RawSpan) throws(Failure) -> Void, all: Bool = false
    ) throws(Failure) {
        guard all || json.byteCount >= chunkSize else { return }
        let bytes = json.takeBytes()
        try emit(bytes.span.bytes)
    }
}
