package import Bytes
import Digests
import Glibc
package import Postgres
package import Storage
import Streams

/// Downloads a stored WAL file into place: written beside the destination, verified, then renamed.
package struct Delivery: Sendable {
    /// What the content must be.
    package struct Check: Sendable {
        package let name: String
        package let kind: WALFileName?
        /// The cluster's segment size; nil to believe the segment's own header.
        package let size: WALSegmentSize?
        /// The cluster that recovers; nil when it is not known.
        package let systemIdentifier: UInt64?
        /// The record that the segment before left unfinished, when that is known.
        package var carried: CarriedRecord?

        package init(
            name: String, kind: WALFileName?, size: WALSegmentSize?, systemIdentifier: UInt64?,
            carried: CarriedRecord? = nil
        ) {
            self.name = name
            self.kind = kind
            self.size = size
            self.systemIdentifier = systemIdentifier
            self.carried = carried
        }
    }

    /// What was delivered.
    package struct Outcome: Equatable, Sendable {
        /// SHA-256 of the content.
        package let digest: [UInt8]
        /// The record that the next segment goes on with.
        package let carried: CarriedRecord?
    }

    package let store: any ObjectStore
    package let pool: PartPool
    package var check: Check

    package init(store: any ObjectStore, pool: PartPool, check: Check) {
        self.store = store
        self.pool = pool
        self.check = check
    }

    /// Delivers the object to `destination`.
    ///
    /// Corrupted bytes are fetched once more, since a bit may have flipped on the way.
    ///
    /// - Throws: `ArchiverError` of kind `corrupted`, naming the object, when the content is not what it must be.
    @discardableResult
    package func run(_ variant: StoredWAL.Variant, to destination: String) async throws -> Outcome {
        do {
            return try await attempt(variant, destination)
        } catch let error as ArchiverError where error.kind == .corrupted {
            return try await attempt(variant, destination)
        }
    }

    private func attempt(_ variant: StoredWAL.Variant, _ destination: String) async throws -> Outcome {
        // A fixed name: what a killed run left is overwritten by the next one.
        let temporary = "\(destination).tmp"
        do {
            let digest = MessageDigest(.sha256)
            var content = ContentCheck(check)
            let file = try openTarget(temporary)
            do {
                try await ObjectReading.read(variant.key, variant.format, from: store, pool: pool) { bytes in
                    try content.update(bytes)
                    digest.update(bytes)
                    try file.write(bytes)
                }
                try content.finish()
            } catch let error as StreamError {
                throw corrupted(variant, "\(error)")
            } catch let error as PostgresError {
                throw corrupted(variant, "\(error)")
            } catch let error as SystemError {
                throw ArchiverError(.localFile, "\(check.name): the target cannot be written: \(error)")
            } catch let error as StorageError where error.kind == .corrupted {
                throw corrupted(variant, "\(error)")
            }
            do {
                try file.sync()
                try FileSystem.rename(temporary, to: destination)
            } catch {
                throw ArchiverError(.localFile, "\(check.name): the target cannot be written: \(error)")
            }
            return Outcome(digest: digest.finish(), carried: content.carried)
        } catch {
            _ = try? FileSystem.removeFile(temporary)
            throw error
        }
    }

    private func openTarget(_ path: String) throws -> TargetFile {
        do {
            return try TargetFile(path)
        } catch {
            throw ArchiverError(.localFile, "\(check.name): the target cannot be written: \(error)")
        }
    }

    private func corrupted(_ variant: StoredWAL.Variant, _ what: String) -> ArchiverError {
        ArchiverError(
            .corrupted,
            "\(store.location)/\(variant.key) is damaged or not what its name says: \(what). Nothing was delivered; "
                + "restore the object from a copy, or recover to a point before it")
    }

    /// Reads the object without keeping it, for the record that it leaves unfinished.
    func unfinishedRecord(_ variant: StoredWAL.Variant) async throws -> CarriedRecord? {
        var content = ContentCheck(check)
        try await ObjectReading.read(variant.key, variant.format, from: store, pool: pool) { try content.update($0) }
        try content.finish()
        return content.carried
    }

    /// Puts known content in place, for answers that come from this machine.
    static func write(_ bytes: [UInt8], to destination: String) throws {
        do {
            try FileSystem.replace(destination, with: bytes)
        } catch {
            throw ArchiverError(.localFile, "the target cannot be written: \(error)")
        }
    }
}

/// A new file that is written once; a class, so that closures of a download may hold it.
private final class TargetFile {
    private let file: FileDescriptor

    init(_ path: String) throws(SystemError) {
        file = try FileDescriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC)
    }

    func write(_ bytes: RawSpan) throws(SystemError) { try file.write(bytes) }
    func sync() throws(SystemError) { try file.sync() }
}

/// Judges content while it streams by.
struct ContentCheck {
    private let check: Delivery.Check
    private var verifier: WALSegmentVerifier?
    /// The first page of a segment while its size is not known yet; else the whole of a small file.
    private var held: [UInt8] = []

    init(_ check: Delivery.Check) { self.check = check }

    /// After `finish`: the record that goes on in the next segment.
    var carried: CarriedRecord? { verifier?.carried }

    mutating func update(_ bytes: RawSpan) throws(PostgresError) {
        switch check.kind {
        case .segment(let name): try feed(bytes, name, isPartial: false)
        case .partial(let name): try feed(bytes, name, isPartial: true)
        case .history, .backupHistory: if held.count < 1 << 20 { bytes.withUnsafeBytes { held += $0 } }
        case nil: break
        }
    }

    private mutating func feed(_ bytes: RawSpan, _ name: WALSegmentName, isPartial: Bool) throws(PostgresError) {
        if verifier == nil {
            bytes.withUnsafeBytes { held += $0 }
            guard held.count >= 8192 else { return }
            let header = try WALSegmentHeader(parsing: held.span.bytes)
            var fresh = WALSegmentVerifier(
                name: name, size: check.size ?? header.segmentSize, systemIdentifier: check.systemIdentifier,
                isPartial: isPartial, continuing: check.carried)
            try fresh.update(held.span.bytes)
            verifier = fresh
            held = []
            return
        }
        try verifier?.update(bytes)
    }

    mutating func finish() throws {
        switch check.kind {
        case .segment, .partial:
            guard verifier != nil else {
                throw PostgresError(.truncated, subject: check.name, detail: "\(held.count) bytes are no WAL segment")
            }
            try verifier?.finish()
        case .history(let timeline): _ = try TimelineHistory(parsing: held, timeline: timeline)
        case .backupHistory:
            guard held.starts(with: Array("START WAL LOCATION".utf8)) else {
                throw PostgresError(.malformed, subject: check.name, detail: "not a backup history file")
            }
        case nil: break
        }
    }
}
