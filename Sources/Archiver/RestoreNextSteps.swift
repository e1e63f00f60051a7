import Bytes
import Repository

/// What the operator does after a restore, with this very configuration.
package struct RestoreNextSteps: Sendable {
    /// The program, as an absolute path.
    package var executable: String
    /// Flags that give it the same settings, none of them secret.
    package var flags: [String]
    /// Names of the environment variables that settings came from; never their values.
    package var environmentNames: [String]

    package init(executable: String, flags: [String] = [], environmentNames: [String]) {
        self.executable = executable
        self.flags = flags
        self.environmentNames = environmentNames
    }

    /// The value of `restore_command`, as it stands in `postgresql.conf`, quotes included.
    package var restoreCommand: String {
        var command = Self.shellQuoted(executable)
        for flag in flags { command += " " + Self.shellQuoted(flag) }
        // PostgreSQL reads %% as one %.
        command = command.replacingEach("%", with: "%%")
        command += " wal-fetch \"%f\" \"%p\""
        return "'" + command.replacingEach("'", with: "''") + "'"
    }

    /// The text for the terminal.
    package func text(_ outcome: RestoreOutcome) -> String {
        var lines = ["\(outcome.backup) is restored in \(outcome.destination). Next steps:"]
        lines += ["  touch \(Self.shellQuoted(Path.join(outcome.destination, "recovery.signal")))"]
        lines += ["  in postgresql.conf or postgresql.auto.conf:"]
        lines += ["    restore_command = \(restoreCommand)"]
        lines += ["    # to the end of the archive; or to a point in time, one of:"]
        lines += ["    # recovery_target_time = '2026-01-31 12:00:00+00'   recovery_target_name = 'before_upgrade'"]
        lines += ["    # recovery_target_lsn = '\(outcome.exampleLSN)'   recovery_target = 'immediate'"]
        lines += ["    # and with a target: recovery_target_action = 'promote'"]
        if !environmentNames.isEmpty {
            lines += ["  the server's environment needs these settings, as this command had them:"]
            lines += ["    " + environmentNames.sorted().joined(separator: " ")]
        }
        if !outcome.tablespaces.isEmpty {
            lines += ["  tablespaces restored:"]
            lines += outcome.tablespaces.map { "    pg_tblspc/\($0.name) -> \($0.location)" }
        }
        for link in outcome.skippedLinks {
            lines += ["  \(link) was a symbolic link and is not restored: make it, or the file, yourself"]
        }
        lines += ["  then start the server; all of this as the owner of the directory."]
        return lines.joined(separator: "\n")
    }

    private static func shellQuoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2F, 0x2E, 0x2D, 0x5F, 0x3D, 0x3A].contains(byte)
        }
        return plain ? text : "'" + text.replacingEach("'", with: "'\\''") + "'"
    }
}

extension String {
    fileprivate func replacingEach(_ character: Character, with text: String) -> String {
        reduce(into: "") { result, next in
            if next == character { result += text } else { result.append(next) }
        }
    }
}
