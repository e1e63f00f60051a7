import Bytes
import Glibc

/// An object's file, open for reading.
///
/// A write that replaces the object meanwhile does not disturb the reader: it keeps the file it opened. What changes
/// that very file (nothing of ours does) is noticed.
final class OpenObject: Sendable {
    /// The object as it was when opened.
    let info: ObjectInfo
    private let file: FileDescriptor

    init(info: ObjectInfo, file: consuming FileDescriptor) {
        self.info = info
        self.file = file
        self.file.advise(POSIX_FADV_SEQUENTIAL)
    }

    /// Fills the part from `offset` on, as far as the object reaches.
    func read(into part: Part, at offset: Int) throws(StorageError) {
        let wanted = min(part.available, info.byteCount - offset)
        do throws(SystemError) {
            try part.fill { buffer throws(SystemError) in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
            }
        } catch {
            throw StorageError(error, operation: "read", key: info.key)
        }
        guard part.count == wanted else { throw isTruncated(at: offset + part.count) }
    }

    func readAll() throws(StorageError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: info.byteCount) { buffer, count in
            do throws(SystemError) {
                let memory = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[..<info.byteCount])
                count = try file.read(into: memory, at: 0)
            } catch {
                failure = error
            }
        }
        if let failure { throw StorageError(failure, operation: "read", key: info.key) }
        guard bytes.count == info.byteCount else { throw isTruncated(at: bytes.count) }
        try checkUnchanged()
        return bytes
    }

    /// Fails when the file is not as it was when it was opened.
    func checkUnchanged() throws(StorageError) {
        let now: ObjectInfo
        do throws(SystemError) {
            now = ObjectInfo(info.key, try file.status())
        } catch {
            throw StorageError(error, operation: "read", key: info.key)
        }
        guard now != info else { return }
        throw StorageError(
            .preconditionFailed, operation: "read", key: info.key,
            detail: "\(file.path) was changed while it was read: \(info.etag ?? "") became \(now.etag ?? "")")
    }

    private func isTruncated(at offset: Int) -> StorageError {
        StorageError(
            .corrupted, operation: "read", key: info.key,
            detail: "\(file.path) ends at byte \(offset); it had \(info.byteCount) bytes when it was opened")
    }
}
