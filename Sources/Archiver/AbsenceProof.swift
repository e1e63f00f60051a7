import Bytes
import Postgres
import Repository
import Storage

/// What speaks against taking a missing segment for the end of the archive.
struct AbsenceProof {
    let store: any ObjectStore
    let pool: PartPool

    /// A later timeline whose history says that the timeline of `segment` went on beyond it, so that the segment was
    /// written to its end and must have been archived; nil when there is none.
    ///
    /// The segment that holds the switch point itself may be absent: only a partial one was archived of it.
    ///
    /// - Throws: the error of reading a history: what it would say is then not known.
    func timelineBeyond(_ segment: WALSegmentName, size: WALSegmentSize) async throws -> TimelineID? {
        let end = LSN(rawValue: segment.start(size).rawValue + UInt64(size.byteCount))
        var passed = segment.description.prefix(8)
        while true {
            let next = try await store.list(
                prefix: Layout.walFolder, recursive: false, startAfter: Layout.walFolder + passed + "~", limit: 1)
            guard let name = next.objects.first?.key.name else { return nil }
            passed = name.prefix(8)
            guard let number = UInt32(passed, radix: 16), number > segment.timeline.rawValue else { continue }
            let timeline = TimelineID(rawValue: number)
            guard let history = try await history(of: timeline),
                let switchpoint = history.switchpoint(of: segment.timeline), switchpoint >= end
            else { continue }
            return timeline
        }
    }

    private func history(of timeline: TimelineID) async throws -> TimelineHistory? {
        let stored = try await StoredWAL.find(WALFileName.history(timeline).text, in: store)
        guard let variant = stored.variants.first else { return nil }
        var bytes: [UInt8] = []
        try await ObjectReading.read(variant.key, variant.format, from: store, pool: pool) { span in
            if bytes.count < 1 << 20 { span.withUnsafeBytes { bytes += $0 } }
        }
        return try TimelineHistory(parsing: bytes, timeline: timeline)
    }
}
