import Archiver
import Bytes
import Glibc
import Postgres
import Storage
import Streams

/// What the verbs are made of, from the settings: used by every command that touches the archive.
extension CommandContext {
    /// The codec for what is written.
    var compression: CompressionSettings {
        CompressionSettings(
            method: CompressionMethod(rawValue: settings.text(.compressionMethod) ?? "lz4") ?? .lz4,
            zstdLevel: settings.text(.zstdLevel).flatMap(ZstdLevel.init(rawValue:)) ?? .default)
    }

    /// The segment size that the user insists on; nil when none was set.
    var expectedSegmentSize: WALSegmentSize? {
        guard settings.isSet(.walSize) else { return nil }
        return WALSegmentSize(byteCount: settings.integer(.walSize) << 20)
    }

    /// Hints for the archive at `store`.
    func localState(for store: any ObjectStore) -> LocalState {
        LocalState(base: stateBase, location: store.location)
    }

    /// Where hints are kept: WALS_STATE_DIR, the user's cache directory, or a private one in the temporary directory.
    var stateBase: String? {
        var candidates: [String] = []
        if let chosen = settings.text(.stateDirectory) { return usable(chosen) }
        if let cache = edge.environment["XDG_CACHE_HOME"], !cache.isEmpty {
            candidates.append(Path.join(cache, "wal-s"))
        }
        if let home = edge.home { candidates.append(Path.join(home, ".cache/wal-s")) }
        let temporary = edge.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        candidates.append(Path.join(temporary, "wal-s-\(geteuid())"))
        return candidates.lazy.compactMap(usable).first
    }

    private func usable(_ path: String) -> String? {
        do {
            try FileSystem.makeDirectories(path, mode: 0o700)
        } catch {
            log.debug("no hints are kept in \(path): \(error)")
            return nil
        }
        return access(path, W_OK | X_OK) == 0 ? path : nil
    }

    /// A positive concurrency for downloads that the memory limit allows.
    var downloadConcurrency: Int { settings.integer(.downloadConcurrency) }
}
