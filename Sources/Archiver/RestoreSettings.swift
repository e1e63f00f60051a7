package import Bytes
package import Repository

/// Which backup is meant.
package enum BackupSelection: Equatable, Sendable {
    /// The one whose sentinel is the newest object.
    case latest
    case name(String)
    /// The only one that carries this user data.
    case userData(JSONValue)
}

/// What `backup-fetch` was asked for.
package struct RestoreSettings: Sendable {
    package var destination: String
    package var selection: BackupSelection
    package var mask: FileMask?
    /// What `--restore-spec` says; nil: the tablespaces go where they were.
    package var tablespaces: TablespaceSpec?
    /// Tars read at once, at most (`WALG_DOWNLOAD_CONCURRENCY`); fewer when `memoryLimit` asks for it.
    package var concurrency = 10
    /// Bytes the whole restore may hold.
    package var memoryLimit = 256 << 20
    /// False leaves out every fsync (`WALG_TAR_DISABLE_FSYNC`).
    package var syncs = true
    /// False has each file synced by itself, also where one call could do it for all.
    package var syncsFileSystems = true
    /// How often one tar is tried again when the store does not answer (`WALG_DOWNLOAD_FILE_RETRIES`).
    package var retries = 15

    package init(destination: String, selection: BackupSelection) {
        self.destination = destination
        self.selection = selection
    }
}

/// What a restore did.
package struct RestoreOutcome: Equatable, Sendable {
    package var backup: String
    /// Absolute.
    package var destination: String
    package var tablespaces: [TablespaceSpec.Tablespace]
    /// Symbolic links of the source that could not be made again.
    package var skippedLinks: [MemberPath]
    package var fileCount: Int
    /// Bytes of the files.
    package var byteCount: Int
    /// Stored bytes read.
    package var storedByteCount: Int
    /// A place in the archive that recovery can reach: the backup's end.
    package var exampleLSN: String
}
