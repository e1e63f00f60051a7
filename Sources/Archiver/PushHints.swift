import Bytes
import Postgres
package import Storage
import Streams

/// That a file was pushed ahead of PostgreSQL's call: enough to recognise the object without sending it again.
package struct PushedHint: Equatable, Sendable {
    /// SHA-256 of the file's content.
    package let digest: [UInt8]
    /// Stored bytes.
    package let byteCount: Int
    package let etag: String?

    package init(digest: [UInt8], byteCount: Int, etag: String?) {
        self.digest = digest
        self.byteCount = byteCount
        self.etag = etag
    }

    package static func name(_ file: String) -> String { "pushed-\(file)" }

    package func remember(_ file: String, in state: LocalState) {
        state.write(Self.name(file), Array("\(Hex.encode(digest)) \(byteCount) \(etag ?? "")".utf8))
    }

    package static func recall(_ file: String, in state: LocalState) -> PushedHint? {
        guard let bytes = state.read(name(file)) else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(
            separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let digest = Hex.decode(fields[0]), digest.count == 32, let byteCount = Int(fields[1])
        else { return nil }
        return PushedHint(digest: digest, byteCount: byteCount, etag: fields[2].isEmpty ? nil : String(fields[2]))
    }

    /// Whether the store's object is the one that was pushed.
    ///
    /// Without an ETag there is no way to tell.
    package func matches(_ info: ObjectInfo) -> Bool {
        etag != nil && info.etag == etag && info.byteCount == byteCount
    }
}

/// Which codec this machine has pushed with, and since which segment.
///
/// Objects are named after their codec, so a conditional write guards one name only. As long as the codec stays the
/// same, that is enough; for files from before the codec was first used here, one listing looks under the other names.
struct CodecHint {
    let state: LocalState
    let method: CompressionMethod

    private static let name = "codec"

    func mayHaveOtherVariants(of file: LocalWALFile) -> Bool {
        guard case .segment(let segment) = file.kind, let bytes = state.read(Self.name) else { return true }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard fields.count == 2, fields[0] == method.rawValue, let since = WALSegmentName(String(fields[1])) else {
            return true
        }
        return since.timeline != segment.timeline || segment.description <= since.description
    }

    func remember(_ file: LocalWALFile) {
        guard case .segment(let segment) = file.kind else { return }
        if let bytes = state.read(Self.name) {
            // A re-push of an old segment does not move the mark back: what came between was not looked at again.
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            if fields.count == 2, fields[0] == method.rawValue, let since = WALSegmentName(String(fields[1])),
                since.timeline == segment.timeline
            {
                return
            }
        }
        state.write(Self.name, Array("\(method.rawValue) \(segment.description)".utf8))
    }
}
