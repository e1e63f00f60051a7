import Bytes

/// What kind of recovery asks for a file: PostgreSQL starts `restore_command` in the data directory, where the signal
/// files lie (conventions.md, section 2).
package enum RecoveryMode: Equatable, Sendable {
    /// `standby.signal`: PostgreSQL asks again and again; an exit of 126 or more would stop the standby.
    case standby
    /// `recovery.signal`: one pass; an exit of 1 to 125 ends recovery and promotes.
    case oneShot
    /// Neither: the end of a recovery asking for a history, `pg_rewind -c`, or a person. As strict as one-shot.
    case none

    /// Looks for the signal files in `dataDirectory`.
    package static func detect(in dataDirectory: String) -> RecoveryMode {
        func exists(_ name: String) -> Bool {
            (try? FileSystem.linkStatus(Path.join(dataDirectory, name))) ?? nil != nil
        }
        if exists("standby.signal") { return .standby }
        return exists("recovery.signal") ? .oneShot : .none
    }
}
