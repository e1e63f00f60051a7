extension SettingTable {
    /// Where the archive lies and how it is written: WAL-G's general settings.
    static let archive: [Setting] = [
        Setting(
            .s3Prefix, .text,
            "The bucket and the prefix in it: s3://bucket/path.", lookup: .prefixed),
        Setting(
            .filePrefix, .text,
            "A local directory as store: /path or file://localhost/path.", lookup: .prefixed),
        Setting(
            .storagePrefix, .text,
            "A further folder below the prefix."),
        Setting(
            .targetStorage, .text,
            "Which storage to use; default is the only one.",
            .refused("failover storages are not available in this version: leave it unset or say default"),
            harmless: ["default"]),
        Setting(
            .configPath, .path,
            "The configuration file (.json, .yaml, .yml) or envdir directory."),
        Setting(
            .uploadConcurrency, .integer(1...1024), default: "16",
            "Parts of one upload in flight, within the memory limit, and segments pushed at once.", lookup: .prefixed,
            others: ["UPLOAD_CONCURRENCY"]),
        Setting(
            .downloadConcurrency, .integer(1...1024), default: "10",
            "Parts restored at once, and segments fetched ahead; 1 turns fetching ahead off."),
        Setting(
            .uploadDiskConcurrency, .integer(1...1024),
            "Streams that read the data directory at once; the processors, at most 16, when not set."),
        Setting(
            .uploadQueue, .integer(0...1024), default: "2",
            "Closed parts that may wait for their upload.",
            .accepted("parts are uploaded as they fill, within the memory limit")),
        Setting(
            .downloadFileRetries, .integer(0...1_000_000), default: "15",
            "How often a part is fetched again when the store does not answer; a broken download resumes besides."),
        Setting(
            .compressionMethod, .choice(["lz4", "zstd", "brotli", "lzma", "none"]), default: "lz4",
            "How objects are compressed."),
        Setting(
            .zstdLevel, .choice(["fastest", "default", "better", "best"]),
            "How hard zstd tries; only with WALG_COMPRESSION_METHOD=zstd."),
        Setting(
            .tarSizeThreshold, .byteCount(1...1 << 50), default: "1073741823",
            "Bytes of content after which a tar part is closed."),
        Setting(
            .diskRateLimit, .byteCount(1 ... .max),
            "Bytes a second read from the data directory.",
            .warned("nothing is throttled in this version")),
        Setting(
            .networkRateLimit, .byteCount(1 ... .max),
            "Bytes a second to and from the store.",
            .warned("nothing is throttled in this version")),
        Setting(
            .tarDisableFsync, .bool, default: "false",
            "Leave restored files unsynced: quicker, and a crash of the machine can spoil the restore."),
        Setting(
            .directIO, .bool, default: "false",
            "Read past the page cache.",
            .accepted("files are read through the page cache")),
        Setting(
            .directIOBlockCount, .integer(1...1_048_576), default: "32",
            "Buffer of direct reads, in 4 KiB.",
            .accepted("files are read through the page cache")),
        Setting(
            .deltaMaxSteps, .integer(0...1_000_000), default: "0",
            "Deltas between two full backups.",
            .warned("every backup is a full one in this version")),
        Setting(
            .deltaOrigin, .choice(["LATEST", "LATEST_FULL"]), default: "LATEST",
            "What a delta is taken from.",
            .accepted("every backup is a full one in this version")),
        Setting(
            .deltaFromName, .text,
            "The backup a delta is taken from.",
            .warned("every backup is a full one in this version")),
        Setting(
            .deltaFromUserData, .json,
            "User data of the backup a delta is taken from.",
            .warned("every backup is a full one in this version")),
        Setting(
            .useWALDelta, .bool, default: "false",
            "Record which pages the log changes, for deltas.",
            .accepted("no delta files are recorded: every backup is a full one in this version")),
        Setting(
            .forceWALDelta, .bool, default: "false",
            "Fail where a delta cannot use delta files.",
            .refused("delta backups are not available in this version: unset it")),
        Setting(
            .sentinelUserData, .json,
            "JSON kept with the backup; --add-user-data."),
        Setting(
            .fetchTargetUserData, .json,
            "JSON by which backup-fetch finds the backup; --target-user-data."),
        Setting(
            .verifyPageChecksums, .bool, default: "true",
            "Check page checksums while reading, where the cluster has them."),
        Setting(
            .storeAllCorruptBlocks, .bool, default: "false",
            "Keep the number of every damaged page in the metadata, not of the first ten a file."),
        Setting(
            .useRatingComposer, .bool, default: "false",
            "How files are distributed over parts.",
            .accepted("files go into parts in the order of the directory")),
        Setting(
            .useCopyComposer, .bool, default: "false",
            "How files are distributed over parts.",
            .accepted("files go into parts in the order of the directory")),
        Setting(
            .useDatabaseComposer, .bool, default: "false",
            "How files are distributed over parts.",
            .accepted("files go into parts in the order of the directory")),
        Setting(
            .withoutFilesMetadata, .bool, default: "false",
            "Store no files metadata; such a backup is never the parent of a delta."),
        Setting(
            .useReverseUnpack, .bool, default: "false",
            "Restore the newest delta first.",
            .accepted("the restore chooses its own order")),
        Setting(
            .skipRedundantTars, .bool, default: "false",
            "Skip parts that hold nothing needed.",
            .accepted("the restore chooses its own order")),
        Setting(
            .disablePartialRestore, .bool, default: "false",
            "Keep no database names with the backup; no restore of single databases will be possible from it."),
        Setting(
            .preventWALOverwrite, .bool, default: "true",
            "Refuse to replace a stored segment by a different one.",
            .accepted("a stored segment is never replaced by a different one"), harmless: ["true"]),
        Setting(
            .uploadWALMetadata, .choice(["NOMETADATA", "INDIVIDUAL", "BULK"]), default: "NOMETADATA",
            "JSON beside each segment.",
            .refused("WAL metadata objects are not written in this version: unset it")),
        Setting(
            .receiveBulkMetadataPath, .path,
            "Where wal-receive collects metadata.",
            .accepted("WAL metadata objects are not written in this version")),
        Setting(
            .totalBackgroundUploadedLimit, .integer(0...1_000_000), default: "32",
            "Files pushed in one run of wal-push, the asked one included."),
        Setting(
            .pgReadyRename, .bool, default: "false",
            "Tell PostgreSQL of segments pushed ahead by renaming .ready files.",
            .accepted("PostgreSQL asks for every segment itself and is answered at once")),
        Setting(
            .prefetchDirectory, .path,
            "Where segments fetched ahead are kept, in .wal-g/prefetch; with what WALS_STATE_DIR says when not set."),
        Setting(
            .integrityMaxDelayedWALs, .integer(0...1_000_000), default: "0",
            "Missing segments that wal-verify calls delayed.",
            .accepted("wal-verify is not available in this version")),
        Setting(
            .walSize, .number([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]),
            "Segment size in MiB, to be compared with what the cluster says; read from there when not set."),
        Setting(
            .walPageSize, .integer(1...1_048_576), default: "8192",
            "Page size of the log.",
            .refused("only 8192 is supported")),
        Setting(
            .blockSize, .integer(1...1_048_576), default: "8192",
            "Page size of relations.",
            .refused("only 8192 is supported")),
        Setting(
            .slotName, .text, default: "walg",
            "Replication slot of wal-receive.",
            .accepted("wal-receive is not available in this version")),
        Setting(
            .aliveCheckInterval, .duration, default: "1m",
            "How often the server is asked for a sign of life during a backup; 0 for never."),
        Setting(
            .stopBackupTimeout, .duration, default: "0",
            "How long the end of a backup may take in the server; 0 for as long as it takes."),
        Setting(
            .daemonWALUploadTimeout, .duration, default: "60s",
            "Time for a push through the daemon.",
            .accepted("the daemon is not available in this version")),
        Setting(
            .logLevel, .choice(["NORMAL", "ERROR", "DEVEL"]), default: "NORMAL",
            "What is logged: NORMAL, ERROR or everything."),
        Setting(
            .logDestination, .path, default: "stderr",
            "stderr, or a file that log lines are appended to."),
        Setting(
            .serializerType, .text,
            "Has no effect in WAL-G either.",
            .accepted("it has no effect")),
        Setting(
            .failoverStorages, .secret,
            "Further storages, in the file only.",
            .refused("failover storages are not available in this version: remove it")),
        Setting(
            .failoverCheck, .bool,
            "Check failover storages for life.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCheckTimeout, .duration, default: "30s",
            "Time for that check.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCheckSize, .size(0...1 << 40), default: "1mb",
            "Bytes written by that check.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheLifetime, .duration, default: "15m",
            "How long its result holds.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheAliveLimit, .fraction, default: "0.99",
            "Smoothing of that result.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheDeadLimit, .fraction, default: "0.88",
            "Smoothing of that result.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheAlphaAliveMin, .fraction, default: "0.01",
            "Smoothing of that result.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheAlphaAliveMax, .fraction, default: "0.05",
            "Smoothing of that result.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheAlphaDeadMin, .fraction, default: "0.1",
            "Smoothing of that result.",
            .accepted("there are no failover storages in this version")),
        Setting(
            .failoverCacheAlphaDeadMax, .fraction, default: "0.5",
            "Smoothing of that result.",
            .accepted("there are no failover storages in this version")),
    ]
}
