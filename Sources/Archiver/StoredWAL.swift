import Postgres
import Repository
package import Storage
package import Streams

/// What lies in `wal_005/` under the name of one WAL file: the same file under each extension it was stored with.
package struct StoredWAL: Sendable {
    /// One object that holds the file.
    package struct Variant: Equatable, Sendable {
        package let key: ObjectKey
        package let format: StoredFormat
    }

    /// The file as PostgreSQL names it.
    package let name: String
    package let variants: [Variant]
    /// A segment of the same timeline that comes later: while it exists, the absence of `name` is a hole.
    package let laterSegment: String?
    /// Whether there may be files of later timelines.
    package let mayHaveLaterTimelines: Bool

    /// The key of `name` stored with `method`.
    package static func key(_ name: String, _ method: CompressionMethod) -> ObjectKey {
        ObjectKey(Layout.walFolder + name + (method.fileExtension.isEmpty ? "" : "." + method.fileExtension))
    }

    /// The formats an extension of WAL-G can mean, `nil` for an object that is not `name` itself (`X.partial.lz4` when
    /// `X` is asked for, `X_delta.lz4`, `X.json`).
    package static func format(of object: String, for name: String) -> StoredFormat? {
        guard object.hasPrefix(name) else { return nil }
        let rest = object.dropFirst(name.count)
        // WAL-G up to 3.0.8 wrote uncompressed objects with a dangling dot.
        if rest.isEmpty || rest == "." { return StoredFormat.none }
        guard rest.first == "." else { return nil }
        return StoredFormat(fileExtension: String(rest.dropFirst()))
    }

    /// Looks `name` up by one listing that begins right before it, so that it also tells what comes later.
    package static func find(_ name: String, in store: any ObjectStore) async throws -> StoredWAL {
        let listing = try await store.list(
            prefix: Layout.walFolder, recursive: false, startAfter: Layout.walFolder + predecessor(of: name), limit: 50)
        let names = listing.objects.map(\.key.name)
        let variants = listing.objects.compactMap { object in
            format(of: object.key.name, for: name).map { Variant(key: object.key, format: $0) }
        }
        var later: String?
        if let asked = WALSegmentName(name) {
            later =
                names.lazy.compactMap { object in
                    let end = object.utf8.firstIndex(of: 0x2E) ?? object.endIndex
                    guard let segment = WALSegmentName(String(object[..<end])), segment.timeline == asked.timeline,
                        segment.description > name, format(of: object, for: segment.description) != nil
                    else { return nil }
                    return segment.description
                }.first
        }
        let own = name.prefix(8)
        return StoredWAL(
            name: name, variants: variants, laterSegment: later,
            mayHaveLaterTimelines: listing.isTruncated || names.contains { $0.prefix(8) > own })
    }

    /// A text right before `name` in byte order, and after every other name that can precede it.
    static func predecessor(of name: String) -> String {
        var bytes = Array(name.utf8)
        guard let last = bytes.popLast(), last > 0x21 else { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(last - 1)
        bytes.append(0x7E)
        return String(decoding: bytes, as: UTF8.self)
    }
}
