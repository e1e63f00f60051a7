import Bytes
import Postgres
import Repository
import Storage
import Streams

/// What the streams of one backup share.
struct PushContext: Sendable {
    let store: any ObjectStore
    let pool: PartPool
    let compression: CompressionSettings
    let backup: String
    /// The data directory, without a closing slash.
    let directory: String
    let files: BackupFiles
    let objects: StoredObjects
    let names: AccountNames
    let progress: any ProgressReporting
    let log: Log

    /// The name of a tar with the extension of its compression.
    func tarName(_ name: String) -> String {
        compression.method.fileExtension.isEmpty ? name : "\(name).\(compression.method.fileExtension)"
    }

    func entry(_ path: String, _ kind: TarEntry.Kind, _ status: BackupFileStatus) -> TarEntry {
        TarEntry(
            path: path, kind: kind, byteCount: kind == .regular ? status.byteCount : 0, mode: UInt32(status.mode),
            userID: Int(status.userID), groupID: Int(status.groupID), userName: names.user(status.userID),
            groupName: names.group(status.groupID), modified: status.modified)
    }

    /// Stores a tar of small members that are in memory.
    func storeTar(_ name: String, _ members: [(entry: TarEntry, contents: [UInt8])]) async throws {
        let name = tarName(name)
        let stream = try TarStream(compression, pool: pool)
        let stored = try await store.withUpload(to: Layout.tar(name, of: backup), .replace, pool: pool) { upload in
            for member in members { try stream.member(member.entry, member.contents) }
            try await stream.finish(to: upload)
        }
        try objects.add("tar_partitions/" + name, stream.storedByteCount, stream.sha256, stored.info)
    }

    /// Stores a document of any size that `body` makes; `body` sends now and then what it has written.
    func storeDocument(
        _ name: String, _ body: (DocumentStream, any ObjectUpload) async throws -> Void
    ) async throws {
        let stream = DocumentStream(pool: pool)
        let key = ObjectKey(Layout.folder(backup) + name)
        let stored = try await store.withUpload(to: key, .replace, pool: pool) { upload in
            try await body(stream, upload)
            try await stream.finish(to: upload)
        }
        try objects.add(name, stream.byteCount, stream.sha256, stored.info)
    }
}

/// The objects of a backup that are stored, with their digests.
final class StoredObjects: Sendable {
    private let objects = Locked([BackupIntegrity.StoredObject]())

    /// Notes an object after comparing what the store has with what was sent.
    func add(_ name: String, _ byteCount: Int, _ sha256: [UInt8], _ info: ObjectInfo) throws(StorageError) {
        guard info.byteCount == byteCount else {
            throw StorageError(
                .corrupted, operation: "upload", key: info.key,
                detail: "\(byteCount) bytes were sent, the store has \(info.byteCount)")
        }
        objects.withLock {
            $0.append(BackupIntegrity.StoredObject(name: name, byteCount: byteCount, sha256: sha256))
        }
    }

    /// By name.
    var all: [BackupIntegrity.StoredObject] { objects.withLock { $0.sorted { $0.name < $1.name } } }
    var byteCount: Int { objects.withLock { $0.reduce(0) { $0 + $1.byteCount } } }
}

/// One of the parallel streams of a backup: fills one part after the other with the next files nobody has taken.
struct PushStream {
    let context: PushContext
    let partNumbers: PartNumbers
    /// A part is closed once its files exceed this many bytes.
    let sizeThreshold: Int
    let verifiesPages: Bool
    let backupStart: LSN
    /// Numbers of damaged pages kept for a file; nil keeps all.
    let damagedPageLimit: Int?

    func run() async throws {
        let reader = PageReader(verifying: verifiesPages, backupStart: backupStart)
        var next = context.files.takeNext()
        while let first = next { next = try await fillPart(beginningWith: first, reader) }
    }

    /// Fills one part and returns the file that comes next.
    private func fillPart(beginningWith first: BackupFile, _ reader: PageReader) async throws -> BackupFile? {
        let number = partNumbers.next()
        let name = context.tarName(Layout.partName(number))
        let stream = try TarStream(context.compression, pool: context.pool)
        let stored = try await context.store.withUpload(
            to: Layout.tar(name, of: context.backup), .replace, pool: context.pool
        ) { upload in
            var content = 0
            var file: BackupFile? = first
            while let current = file {
                content += try await add(current, part: number, stream, reader, upload)
                file = content > sizeThreshold ? nil : context.files.takeNext()
            }
            try await stream.finish(to: upload)
        }
        try context.objects.add("tar_partitions/" + name, stream.storedByteCount, stream.sha256, stored.info)
        return context.files.takeNext()
    }

    /// Adds a file and says how many bytes of content it had.
    private func add(
        _ file: BackupFile, part: Int, _ stream: TarStream, _ reader: PageReader, _ upload: any ObjectUpload
    ) async throws -> Int {
        try Task.checkCancellation()
        guard file.kind == .regular else {
            try stream.header(context.entry(file.path, .directory, file.status))
            context.files.stored(file, BackupFileResult(status: file.status, crc32c: 0, part: part))
            try await stream.send(to: upload)
            return 0
        }
        let path = context.directory + file.path
        guard let open = try reader.open(path, member: file.path) else {
            context.log.warning("\(path) was removed before it could be read: left out")
            return 0
        }
        let status = BackupFileStatus(open.status)
        try stream.header(context.entry(file.path, .regular, status))
        var crc = CRC32C()
        var corrupt = BackupFileResult.CorruptPages()
        while !open.isAtEnd {
            let damaged = try reader.next(open) { chunk in
                crc.update(chunk)
                try stream.write(chunk)
                context.progress.advanced(by: chunk.byteCount)
            }
            for page in damaged { note(page, file, &corrupt) }
            if stream.hasFilled {
                try Task.checkCancellation()
                try await stream.send(to: upload)
            }
        }
        try stream.padding(after: status.byteCount)
        context.files.stored(
            file,
            BackupFileResult(
                status: status, crc32c: crc.value, part: part, corrupt: corrupt.count > 0 ? corrupt : nil))
        try await stream.send(to: upload)
        return status.byteCount
    }

    private func note(
        _ damaged: PageReader.DamagedPage, _ file: BackupFile, _ corrupt: inout BackupFileResult.CorruptPages
    ) {
        corrupt.count += 1
        if corrupt.pages.count < damagedPageLimit ?? .max { corrupt.pages.append(damaged.page) }
        guard corrupt.count <= 10 else { return }
        let stored = Hex.digits(damaged.stored, width: 4)
        let computed = Hex.digits(damaged.computed, width: 4)
        context.log.warning(
            "page \(damaged.page) of \(context.directory)\(file.path): checksum \(stored), expected \(computed)")
    }
}

/// Numbers of parts, from 1.
final class PartNumbers: Sendable {
    private let last = Locked(0)

    func next() -> Int {
        last.withLock { last in
            last += 1
            return last
        }
    }

    var count: Int { last.withLock { $0 } }
}
