import Bytes
import Repository
import Storage

/// What killed runs of ours left: folders with our mark and without a sentinel, whose run is over, and the multipart
/// uploads of their objects.
///
/// Folders without our mark are never touched: they may be of another program that is at work.
struct BackupDebris: Sendable {
    let store: any ObjectStore
    let holder: BackupLease.Holder
    let log: Log

    /// Removes it; says how many objects that were.
    @discardableResult
    func remove(now: Timestamp) async throws -> Int {
        let listing = try await store.list(prefix: Layout.backupsFolder, recursive: false)
        let finished = Set(listing.objects.compactMap { Layout.backup(ofSentinel: $0.key) })
        var removed = 0
        for folder in listing.folders {
            let backup = String(folder.dropFirst(Layout.backupsFolder.count).dropLast())
            guard BackupName(backup) != nil, try await isOver(backup, now) else { continue }
            if finished.contains(backup) {
                // The run ended between its sentinel and the removal of its mark.
                removed += try await delete([BackupLease.key(backup)])
                await abandonUploads(of: backup)
            } else {
                removed += try await removeFolder(backup)
            }
        }
        return removed
    }

    /// Removes everything of a backup without sentinel, its mark last.
    @discardableResult
    func removeFolder(_ backup: String) async throws -> Int {
        // Asked again, as late as can be: a sentinel makes it a backup.
        guard try await store.info(Layout.sentinel(backup)) == nil else { return 0 }
        let objects = try await store.list(prefix: Layout.folder(backup)).objects
        let mark = BackupLease.key(backup)
        await abandonUploads(of: backup)
        let removed = try await delete(objects.map(\.key).filter { $0 != mark }) + delete([mark])
        log.info("Removed \(removed) objects of the unfinished backup \(backup)")
        return removed
    }

    /// Ends the uploads of a backup whose run is over; those that cannot be ended are worth a warning, no more.
    func abandonUploads(of backup: String) async {
        do {
            let count = try await store.abandonUploads(prefix: Layout.folder(backup))
            if count > 0 { log.info("Ended \(count) unfinished uploads of the backup \(backup)") }
        } catch {
            log.warning(
                "Unfinished uploads of \(backup) were not looked for or ended: \(error); their parts take room until a "
                    + "lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes them")
        }
    }

    private func isOver(_ backup: String, _ now: Timestamp) async throws -> Bool {
        do {
            let (bytes, info) = try await store.get(BackupLease.key(backup), limit: 65536)
            guard let other = BackupLease.Holder(parsing: bytes), other.token != holder.token else { return false }
            let age = info.modified.duration(to: now)
            return other.isGone(seenFrom: holder, age: age) || age > BackupLease.patience
        } catch let error as StorageError where error.kind == .notFound {
            return false
        }
    }

    private func delete(_ keys: [ObjectKey]) async throws -> Int {
        guard !keys.isEmpty else { return 0 }
        if let failure = try await store.delete(keys).first { throw failure.error }
        return keys.count
    }
}
