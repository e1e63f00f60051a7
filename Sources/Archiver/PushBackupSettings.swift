package import Bytes
package import Postgres
package import Server
package import Streams

/// What backup-push is told.
package struct PushBackupSettings: Sendable {
    /// As the operator gave it.
    package var directory: String
    package var connection: ConnectionSettings
    package var compression: CompressionSettings
    /// Tars made at once.
    package var streams: Int
    /// A part is closed once its files exceed this many bytes (`WALG_TAR_SIZE_THRESHOLD`).
    package var tarSizeThreshold = 1_073_741_823
    /// Bytes of a part of an upload; nil to choose by the memory.
    package var partSize: Int?
    /// Bytes that parts of uploads may take together.
    package var memoryLimit = 160 << 20
    package var isPermanent = false
    package var userData: JSONValue?
    /// Whether page checksums are verified, where the cluster has them.
    package var verifiesPages = true
    /// Whether all numbers of damaged pages are kept, not ten a file.
    package var storesAllDamagedPages = false
    /// Whether the names of relations are stored, for partial restores.
    package var storesDatabases = true
    package var storesFilesMetadata = true
    /// How long to wait for the archive at the end; nil for ever (`WALG_STOP_BACKUP_TIMEOUT`).
    package var stopTimeout: Duration?
    /// How often the session is pinged; zero for never (`WALG_ALIVE_CHECK_INTERVAL`).
    package var pingInterval: Duration = .seconds(60)
    /// What the server's segments must be; nil when the settings do not say.
    package var segmentSize: WALSegmentSize?

    package init(
        directory: String, connection: ConnectionSettings, compression: CompressionSettings, streams: Int
    ) {
        self.directory = directory
        self.connection = connection
        self.compression = compression
        self.streams = max(1, streams)
    }

    /// The stock of parts for all streams.
    ///
    /// A stream holds at most one part that fills and one that its upload keeps back: with one more than twice the
    /// streams somebody can always go on.
    var pool: PartPool {
        let mebibyte = 1 << 20
        let share = memoryLimit / (4 * streams + 2) / mebibyte * mebibyte
        let size = partSize ?? max(5 * mebibyte, min(16 * mebibyte, share))
        return PartPool(partSize: size, limit: max(2 * streams + 2, memoryLimit / size))
    }
}
