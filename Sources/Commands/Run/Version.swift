import Bytes
import Streams

/// What this program is.
package enum Version {
    package static let number = "0.1.0"

    /// The line WAL-G prints: name, version, revision, build date, database, with tabs between.
    package static func line(program: String) -> String { "\(program) version v\(number)\tdevel\tdevel\tPostgreSQL\n" }

    /// The same for programs, with what is built in.
    package static func json() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("name")
        writer.string("wal-s")
        writer.name("version")
        writer.string(number)
        list(&writer, "compression", CompressionMethod.allCases.map(\.rawValue))
        list(&writer, "storages", ["s3", "file"])
        list(&writer, "postgres", ["13", "14", "15", "16", "17", "18"])
        writer.endObject()
        return String(decoding: writer.takeBytes(), as: UTF8.self) + "\n"
    }

    private static func list(_ writer: inout JSONWriter, _ name: String, _ items: [String]) {
        writer.name(name)
        writer.beginArray()
        for item in items { writer.string(item) }
        writer.endArray()
    }
}
