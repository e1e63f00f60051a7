extension CommandTable {
    /// What PostgreSQL calls for its log.
    static let walCommands: [Command] = [
        Command(
            "wal-push", "Uploads a WAL file to storage",
            discussion: """
                For archive_command. Ends with 0 only when the file is stored, whole and durable. A stored file is never
                replaced by a different one; pushing the same again is no error.
                """,
            arguments: [.init("wal_filepath", "The file, as PostgreSQL gives it by %p.")],
            flags: [.targetStorage, .pgReadyRename],
            examples: [
                .init("wal-push %p", "In postgresql.conf: archive_command = 'wal-s wal-push %p'."),
                .init("wal-push pg_wal/000000010000000000000003", "By hand, from the data directory."),
            ],
            exits: [
                .init("0", "stored and durable"), .init("1", "failed, or interrupted"), .init("64", "wrong usage"),
                .init("69, 75", "the store cannot be reached; PostgreSQL tries again"),
                .init("73", "refused: the archive holds a different file under this name"),
                .init("77", "no permission, or credentials are wrong"), .init("78", "settings are wrong"),
            ], run: WALCommands.push),
        Command(
            "wal-fetch", "Fetches a WAL file from storage",
            discussion: """
                For restore_command. PostgreSQL ends recovery and promotes when the command ends with 1 to 125, so with
                recovery.signal in the working directory every failure but proven absence ends with 200 or more. With
                standby.signal every code stays below 126, since a higher one would stop the standby.
                """,
            arguments: [
                .init("wal_name", "The name, as PostgreSQL gives it by %f."),
                .init("destination", "Where to put it, as PostgreSQL gives it by %p."),
            ],
            flags: [.targetStorage, .strict, .standby, .allowGap],
            examples: [
                .init("wal-fetch %f %p", "In postgresql.conf: restore_command = 'wal-s wal-fetch %f %p'.")
            ],
            exits: fetchExits, run: WALCommands.fetch),
        Command(
            "wal-prefetch", "Fetches the WAL files after one, for wal-fetch to come",
            arguments: [.init("wal_name", "The last file fetched."), .init("destination", "Where it was put.")],
            flags: [.targetStorage], exits: fetchExits, isHidden: true, run: WALCommands.prefetch),
    ]

    private static let fetchExits: [Command.Exit] = [
        .init("0", "the file is there, verified"),
        .init("74", "the archive does not hold the file, and that is proven"),
        .init("200", "failed (1 on a standby)"),
        .init("201", "the store cannot be reached (75 on a standby)"),
        .init("202", "what is stored is damaged, or the archive has a hole (1 on a standby)"),
        .init("203", "no permission, or credentials are wrong (77 on a standby)"),
        .init("204", "settings or usage are wrong (78 and 64 on a standby)"),
        .init("signal", "dies by SIGTERM or SIGINT, which PostgreSQL understands"),
    ]
}

extension Flag {
    package static let targetStorage = Flag(
        "target-storage", nil, .text("NAME"), setting: .targetStorage,
        "Name of the storage to use; \"default\" is the primary one.")
    package static let pgReadyRename = Flag(
        "pg-ready-rename", nil, .none, setting: .pgReadyRename, isHidden: true, "As PG_READY_RENAME.")
    package static let strict = Flag(
        "strict", nil, .none, "End with 200 or more on failure, whatever signal files there are.")
    package static let standby = Flag(
        "standby", nil, .none, "End with 125 or less on failure, whatever signal files there are.")
    package static let allowGap = Flag(
        "allow-gap", nil, .none, "Take a missing file for the end of the archive although later ones are there.")
}
