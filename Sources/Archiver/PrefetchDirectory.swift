package import Bytes
import Digests
import Glibc
import Postgres

/// Segments fetched ahead of recovery, on this machine, for one archive, one cluster and one data directory.
///
///     <directory>/<segment>      whole and verified, ready to be moved into place
///     <directory>/running/...    being written
///     <directory>/position       the segment that recovery asked for last
///     <directory>/lock           held by the prefetcher that runs
package struct PrefetchDirectory: Sendable {
    package let path: String

    /// Names the directory below `base`, which is made when missing.
    ///
    /// The archive's location, the cluster's system identifier and the data directory are part of the name, so that a
    /// segment can never reach another cluster or come from another archive.
    ///
    /// - Throws: `SystemError` when it cannot be made.
    package init(base: String, location: String, systemIdentifier: UInt64, dataDirectory: String) throws(SystemError) {
        let identity = "\(location)\n\(systemIdentifier)\n\(Path.absolute(dataDirectory))"
        let mark = Hex.encode(MessageDigest.sha256(Array(identity.utf8).span.bytes).prefix(10))
        path = Path.join(base, mark)
        try FileSystem.makeDirectories(Path.join(path, "running"), mode: 0o700)
    }

    package func file(_ segment: String) -> String { Path.join(path, segment) }
    var lockFile: String { Path.join(path, "lock") }

    package func isThere(_ segment: String) -> Bool {
        (try? FileSystem.linkStatus(file(segment))) ?? nil != nil
    }

    /// Moves a prefetched segment to `destination` after verifying it once more; nil when there is none to hand over.
    func deliver(_ check: Delivery.Check, to destination: String, log: Log) async -> ContentCheck? {
        await waitForRunning(check.name)
        let source = file(check.name)
        guard isThere(check.name) else { return nil }
        do {
            var content = ContentCheck(check)
            let size = try FileSystem.linkStatus(source)?.byteCount ?? 0
            let input = try FileDescriptor(opening: source, O_RDONLY | O_NOFOLLOW)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
            defer { buffer.deallocate() }
            var offset = 0
            while offset < size {
                let count = try input.read(into: buffer, at: offset)
                guard count > 0 else { break }
                try content.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
                offset += count
            }
            try content.finish()
            try move(source, to: destination)
            return content
        } catch {
            log.warning("the prefetched \(check.name) is not used: \(error)")
            _ = try? FileSystem.removeFile(source)
            return nil
        }
    }

    private func move(_ source: String, to destination: String) throws {
        do throws(SystemError) {
            try FileSystem.rename(source, to: destination)
        } catch {
            guard error.code == EXDEV else { throw error }
            // Another file system: copy beside the destination, then rename.
            let temporary = "\(destination).tmp"
            do {
                let input = try FileDescriptor(opening: source, O_RDONLY | O_NOFOLLOW)
                let output = try FileDescriptor(opening: temporary, O_WRONLY | O_CREAT | O_TRUNC)
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
                defer { buffer.deallocate() }
                while true {
                    let count = try input.read(into: buffer)
                    if count == 0 { break }
                    try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
                }
                try output.sync()
                try output.close()
                try FileSystem.rename(temporary, to: destination)
                try FileSystem.removeFile(source)
            } catch {
                _ = try? FileSystem.removeFile(temporary)
                throw error
            }
        }
    }

    /// Waits while the prefetcher is writing this very segment and getting on with it.
    private func waitForRunning(_ segment: String) async {
        let running = Path.join(path, "running")
        var lastCount = -1
        var idle = 0
        while let names = try? FileSystem.names(in: running),
            let name = names.first(where: { $0.hasPrefix(segment) }),
            let status = (try? FileSystem.linkStatus(Path.join(running, name))) ?? nil, isLocked()
        {
            idle = status.byteCount == lastCount ? idle + 1 : 0
            lastCount = status.byteCount
            // Two seconds without growth: the foreground download is the better bet.
            guard idle < 400 else { return }
            do { try await Task.sleep(for: .milliseconds(5)) } catch { return }
        }
    }

    /// Whether a prefetcher runs.
    package func isLocked() -> Bool {
        guard let file = try? FileDescriptor(opening: lockFile, O_RDWR | O_CREAT) else { return false }
        guard let free = try? file.tryLock() else { return false }
        return !free
    }

    /// Notes where recovery is.
    package func setPosition(_ segment: String) {
        let temporary = Path.join(path, "position.\(getpid()).tmp")
        do {
            let file = try FileDescriptor(opening: temporary, O_WRONLY | O_CREAT | O_TRUNC)
            try file.write(Array(segment.utf8).span.bytes)
            try file.close()
            try FileSystem.rename(temporary, to: Path.join(path, "position"))
        } catch {
            _ = try? FileSystem.removeFile(temporary)
        }
    }

    func position() -> WALSegmentName? {
        guard let bytes = try? FileSystem.contents(Path.join(path, "position"), limit: 64) else { return nil }
        return WALSegmentName(String(decoding: bytes, as: UTF8.self))
    }

    /// Removes segments that recovery has passed, and what a killed prefetcher left.
    func sweep(before segment: WALSegmentName) {
        for name in (try? FileSystem.names(in: path)) ?? [] {
            guard let prefetched = WALSegmentName(name),
                prefetched.timeline != segment.timeline || prefetched.description < segment.description
            else { continue }
            _ = try? FileSystem.removeFile(file(name))
        }
        for name in (try? FileSystem.names(in: Path.join(path, "running"))) ?? [] {
            _ = try? FileSystem.removeFile(Path.join(path, "running/\(name)"))
        }
    }

    /// Removes everything: recovery is over.
    package func clear() {
        _ = try? FileSystem.removeTree(path)
    }
}
