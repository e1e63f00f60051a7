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
            "Where small facts are remembered between runs; nothing there is ever trusted without the store."),
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
    ]
}
