/// How a restore makes durable what it wrote, before `global/pg_control` makes it a data directory.
enum RestoreDurability: Equatable, Sendable {
    /// Not at all: the operator does not want it.
    case none
    /// `fsync` of each file as it is closed, and of each directory at the end.
    case eachFile
    /// One `syncfs` of each file system at the end.
    ///
    /// With very many small files, waiting for the disk at each of them is nearly all that a restore does: of 300,000
    /// empty files see Benchmarks/README.md. The kernel counts failures of writing for each file system, and the call
    /// tells of every one since its descriptor was opened, which is before the first file is written.
    case fileSystems

    /// Chooses: `syncfs` where every file system that is written to can be relied on for it.
    ///
    /// `tops` are the data directory and the locations of tablespaces. All are empty when the restore begins: nothing is
    /// mounted below them.
    static func choose(syncs: Bool, syncsFileSystems: Bool, tops: [DirectoryHandle]) -> RestoreDurability {
        guard syncs else { return .none }
        return syncsFileSystems && tops.allSatisfy(\.canSyncFileSystem) ? .fileSystems : .eachFile
    }
}
