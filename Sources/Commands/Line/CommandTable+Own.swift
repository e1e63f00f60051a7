extension CommandTable {
    /// What is about the program itself, and what WAL-G has not.
    static let ownCommands: [Command] = [
        Command(
            "claim", "Tells which cluster a prefix belongs to, or gives it to another",
            discussion: """
                An archive belongs to one cluster, known by its system identifier; another one's files are refused. After
                initdb or pg_upgrade into the same prefix, --confirm records that the new cluster goes on there.
                """,
            arguments: [.init("db_directory", .optional, "The data directory; PGDATA when not given.")],
            flags: [.confirm],
            examples: [
                .init("claim", "Whose archive it is."),
                .init("claim --confirm $PGDATA", "Let this cluster have it from now on."),
            ], run: ClaimCommand.run),
        Command(
            "config show", "Prints every setting in effect and where it comes from",
            flags: [.json],
            examples: [
                .init(
                    "config show", "What the program understood, secrets masked; ends with 78 when it cannot be used."),
                .init("config show --json", "The same for programs."),
            ],
            needsSettings: false, run: ConfigCommand.show),
        Command(
            "flags", "Display the list of available global flags for all wal-g commands",
            flags: [.markdown],
            examples: [
                .init("flags", "Every setting as a flag."),
                .init("flags --markdown", "Every setting explained: docs/settings.md."),
            ], needsSettings: false, run: InformationCommands.flags
        ),
        Command(
            "help", "Help about any command",
            arguments: [.init("command", .any, "The command to explain.")],
            examples: [.init("help wal-push", "The same as wal-push --help.")], needsSettings: false,
            run: InformationCommands.help),
        Command(
            "version", "Prints the version", flags: [.json],
            examples: [.init("version --json", "With the formats and storages that are built in.")],
            needsSettings: false, run: InformationCommands.version),
    ]

    /// What WAL-G does and this version does not.
    static let plannedCommands: [Command] = [
        Command("backup-mark", "Marks a backup permanent or impermanent"),
        Command("catchup-fetch", "Fetches an incremental backup from storage"),
        Command("catchup-list", "Prints available incremental backups"),
        Command("catchup-push", "Creates incremental backup from lsn"),
        Command("catchup-receive", "Receive an incremental backup from another instance"),
        Command("catchup-send", "Sends incremental backup to standby"),
        Command("completion", "Output shell completion code for the specified shell"),
        Command("copy", "Copies backups to another storage"),
        Command("daemon", "Runs a daemon that executes commands sent by a light client"),
        Command("delete", "Clears old backups and WALs"),
        Command("pgbackrest", "Reads pgBackRest repositories"),
        Command("st", "Storage tools"),
        Command("wal-receive", "Receives WAL by streaming replication and pushes it to storage"),
        Command("wal-restore", "Restores WAL segments from storage, for pg_rewind"),
        Command("wal-show", "Shows storage WAL segments info grouped by timelines"),
        Command("wal-verify", "Verifies the WAL in storage"),
    ]
}

extension Flag {
    package static let markdown = Flag("markdown", nil, .none, "Print the settings page of the documentation.")
    package static let confirm = Flag("confirm", nil, .none, "Do it; without, only what would be done is printed.")
}
