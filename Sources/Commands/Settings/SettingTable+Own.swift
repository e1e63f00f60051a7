extension SettingTable {
    /// What only this program knows.
    static let own: [Setting] = [
        Setting(
            .pushAnyFile, .bool, default: "false",
            "Let wal-push take any plain file name, without looking into the file."),
        Setting(
            .fetchErrorExit, .integer(1...255),
            "Exit code of wal-fetch for every failure but absence; 1 is WAL-G's, with which PostgreSQL may promote early."
        ),
        Setting(
            .stateDirectory, .path,
            "Where small facts are remembered and segments fetched ahead are kept; $XDG_CACHE_HOME/wal-s, ~/.cache/wal-s "
                + "or a directory in $TMPDIR when not set. Nothing there is ever trusted without the store."),
        Setting(
            .memoryLimit, .size(32 << 20...1 << 46), default: "256MiB",
            "Memory for parts in flight."),
        Setting(
            .pushDeadline, .duration, default: "50s",
            "Longest time for wal-push."),
        Setting(
            .fetchDeadline, .duration, default: "2m",
            "Longest time for wal-fetch."),
        Setting(
            .logFormat, .choice(["text", "json"]), default: "text",
            "Form of log lines; --log-format."),
        Setting(
            .s3ConditionalPut, .bool, default: "true",
            "The server honours If-None-Match on PUT; false asks before and after each write instead."),
        Setting(
            .s3ConditionalComplete, .bool, default: "true",
            "The server honours If-None-Match when a multipart upload is completed."),
        Setting(
            .s3QuotedIfMatch, .bool, default: "true",
            "The server wants entity tags in If-Match with their quotes."),
        Setting(
            .s3Checksums, .bool, default: "true",
            "Send x-amz-checksum headers for the server to compare."),
        Setting(
            .s3BatchDelete, .bool, default: "true",
            "The server offers DeleteObjects; false deletes keys one by one."),
    ]
}
