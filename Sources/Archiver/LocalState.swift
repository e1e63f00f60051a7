package import Bytes
import Digests
import Glibc

/// Small hints kept on this machine between runs, for one archive: what was claimed, pushed, answered.
///
/// A hint may save a request; it never replaces asking the store about an object. Nothing here throws: a hint that
/// cannot be read or written is a hint that is not there. The directory is private to this user; one that others
/// could write to is not used.
package struct LocalState: Sendable {
    /// The directory of this archive's hints; nil when there is none that can be trusted.
    package let directory: String?

    /// Opens the hints below `base` for the archive at `location`; `base` nil means no hints.
    package init(base: String?, location: String) {
        guard let base else {
            directory = nil
            return
        }
        let mark = Hex.encode(MessageDigest.sha256(Array(location.utf8).span.bytes).prefix(10))
        let directory = Path.join(base, mark)
        do {
            try FileSystem.makeDirectories(directory, mode: 0o700)
            guard let status = try FileSystem.linkStatus(base), status.kind == .directory,
                status.userID == geteuid() || geteuid() == 0, status.mode & 0o022 == 0
            else {
                self.directory = nil
                return
            }
            self.directory = directory
        } catch {
            self.directory = nil
        }
    }

    /// A directory for larger things, made when missing.
    package func subdirectory(_ name: String) -> String? {
        guard let directory else { return nil }
        let path = Path.join(directory, name)
        do {
            try FileSystem.makeDirectories(path, mode: 0o700)
            return path
        } catch {
            return nil
        }
    }

    /// The hint `name`, unless it is older than `age`.
    package func read(_ name: String, notOlderThan age: Duration? = nil, now: Timestamp = .now()) -> [UInt8]? {
        guard let directory else { return nil }
        let path = Path.join(directory, name)
        do {
            if let age {
                guard let status = try FileSystem.linkStatus(path) else { return nil }
                let past = status.modified.duration(to: now)
                guard past <= age, past >= .seconds(-5) else { return nil }
            }
            return try FileSystem.contents(path, limit: 1 << 20)
        } catch {
            return nil
        }
    }

    /// Sets the hint `name`, in one step.
    package func write(_ name: String, _ bytes: [UInt8]) {
        guard let directory else { return }
        let path = Path.join(directory, name)
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        do {
            let file = try FileDescriptor(opening: temporary, O_WRONLY | O_CREAT | O_EXCL)
            try file.write(bytes.span.bytes)
            try file.close()
            try FileSystem.rename(temporary, to: path)
        } catch {
            _ = try? FileSystem.removeFile(temporary)
        }
    }

    package func remove(_ name: String) {
        guard let directory else { return }
        _ = try? FileSystem.removeFile(Path.join(directory, name))
    }
}
