extension CommandTable {
    /// Backups of the data directory.
    static let backupCommands: [Command] = [
        Command(
            "backup-push", "Makes backup and uploads it to storage",
            discussion: """
                Takes a full backup of a running server, over the connection that the PG* settings describe. The server
                must archive its WAL: the backup is complete when the last segment it needs is in the archive.
                """,
            arguments: [.init("db_directory", .optional, "The data directory; PGDATA when not given.")],
            flags: [
                .full, .permanent, .verify, .storeAllCorrupt, .ratingComposer, .copyComposer, .databaseComposer,
                .deltaFromName, .deltaFromUserData, .addUserData, .withoutFilesMetadata, .targetStorage,
            ],
            examples: [
                .init("backup-push /var/lib/postgresql/16/main", "A backup of this directory's server."),
                .init("backup-push --permanent $PGDATA", "One that no retention deletes."),
            ],
            run: BackupCommands.push),
        Command(
            "backup-fetch", "Fetches a backup from storage",
            discussion: """
                Restores a backup into an empty directory, every byte verified, and prints how to start the server on it.
                An interrupted fetch leaves a directory that PostgreSQL refuses to start on.
                """,
            arguments: [
                .init("destination_directory", "An empty directory, or one that is not there yet."),
                .init("backup_name", .optional, "The backup's name, or LATEST."),
            ],
            flags: [
                .mask, .restoreSpec, .reverseUnpack, .skipRedundantTars, .restoreOnly, .targetUserData,
                .targetStorage,
            ],
            examples: [
                .init("backup-fetch /var/lib/postgresql/16/main LATEST", "The newest backup."),
                .init(
                    "backup-fetch --target-user-data '{\"label\":\"before\"}' /restore",
                    "The one backup with this user data."),
            ],
            run: RestoreCommands.fetch),
        Command(
            "backup-list", "Prints full list of backups from which recovery is available",
            flags: [.pretty, .listJSON, .detail, .targetStorage],
            examples: [
                .init("backup-list", "Names and times, the oldest first."),
                .init("backup-list --detail --json", "Everything that is known of each, for programs."),
            ],
            run: BackupListCommand.run),
    ]
}

extension Flag {
    package static let full = Flag("full", "f", .none, "Make a full backup, whatever the settings say of deltas.")
    package static let permanent = Flag("permanent", "p", .none, "Never let retention delete the backup.")
    package static let verify = Flag(
        "verify", "v", .none, setting: .verifyPageChecksums, "Check page checksums (done anyway, where there are any).")
    package static let storeAllCorrupt = Flag(
        "store-all-corrupt", "s", .none, setting: .storeAllCorruptBlocks,
        "Keep the number of every damaged page in the metadata.")
    package static let ratingComposer = Flag(
        "rating-composer", "r", .none, setting: .useRatingComposer, isHidden: true, "As WALG_USE_RATING_COMPOSER.")
    package static let copyComposer = Flag(
        "copy-composer", "c", .none, setting: .useCopyComposer, isHidden: true, "As WALG_USE_COPY_COMPOSER.")
    package static let databaseComposer = Flag(
        "database-composer", "b", .none, setting: .useDatabaseComposer, isHidden: true,
        "As WALG_USE_DATABASE_COMPOSER.")
    package static let deltaFromName = Flag(
        "delta-from-name", nil, .text("NAME"), setting: .deltaFromName, isHidden: true, "As WALG_DELTA_FROM_NAME.")
    package static let deltaFromUserData = Flag(
        "delta-from-user-data", nil, .text("JSON"), setting: .deltaFromUserData, isHidden: true,
        "As WALG_DELTA_FROM_USER_DATA.")
    package static let addUserData = Flag(
        "add-user-data", nil, .text("JSON"), setting: .sentinelUserData, "Keep this JSON with the backup.")
    package static let withoutFilesMetadata = Flag(
        "without-files-metadata", nil, .none, setting: .withoutFilesMetadata,
        "Store no files metadata; such a backup is never the parent of a delta.")

    package static let mask = Flag(
        "mask", nil, .text("PATTERN"), "Fetch only files whose path in the data directory matches the shell pattern.")
    package static let restoreSpec = Flag(
        "restore-spec", nil, .text("FILE"), "JSON that says where each tablespace goes.")
    package static let reverseUnpack = Flag(
        "reverse-unpack", nil, .none, setting: .useReverseUnpack, isHidden: true, "As WALG_USE_REVERSE_UNPACK.")
    package static let skipRedundantTars = Flag(
        "skip-redundant-tars", nil, .none, setting: .skipRedundantTars, isHidden: true, "As WALG_SKIP_REDUNDANT_TARS.")
    package static let restoreOnly = Flag(
        "restore-only", nil, .text("NAMES"), isAvailable: false,
        "Fetch only these databases and tables; not available in this version.")
    package static let targetUserData = Flag(
        "target-user-data", nil, .text("JSON"), setting: .fetchTargetUserData, "Fetch the backup with this user data.")

    package static let pretty = Flag("pretty", nil, .none, "Print a table with lines, or indented JSON.")
    package static let listJSON = Flag("json", nil, .none, "Print JSON, indented with --pretty.")
    package static let detail = Flag("detail", nil, .none, "Print what the metadata of each backup says, too.")
}
