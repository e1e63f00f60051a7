/// Which exit code a failure has; decided here and nowhere else.
///
/// PostgreSQL makes opposite things of codes from its two commands (measured on 15.18). An `archive_command` that ends
/// with 126 or more kills the archiver and is not counted, so wal-push stays below. A `restore_command` that ends with
/// 1 to 125 ends recovery and promotes, so wal-fetch ends with 200 or more unless the file is proven to be absent; but
/// on a standby 126 or more would stop the server, and it stays below.
package struct ExitCodes: Equatable, Sendable {
    package enum Rule: Equatable, Sendable {
        case push
        case fetch
        case standbyFetch
        case other
    }

    package let rule: Rule
    /// Called as `wal-g`: its codes, where safety does not speak against it.
    package let isWALG: Bool
    /// `WALS_FETCH_ERROR_EXIT`: what wal-fetch ends with for everything but absence.
    package let fetchError: Int32?

    package init(_ rule: Rule, isWALG: Bool = false, fetchError: Int32? = nil) {
        self.rule = rule
        self.isWALG = isWALG
        self.fetchError = fetchError
    }

    /// The code of a failure; nil when the process should die by the signal instead.
    package func code(_ failure: Failure) -> Int32? {
        switch rule {
        case .push:
            if isWALG { return 1 }
            if case .interrupted = failure { return 1 }
            return general(failure)
        case .fetch, .standbyFetch:
            if failure == .absent { return 74 }
            if case .interrupted = failure { return nil }
            if let fetchError { return fetchError }
            return rule == .fetch ? strict(failure) : standby(failure)
        case .other:
            if case .interrupted(let signal) = failure { return 128 + signal }
            return isWALG ? 1 : general(failure)
        }
    }

    private func general(_ failure: Failure) -> Int32 {
        switch failure {
        case .generic, .absent, .interrupted: 1
        case .damage: rule == .push ? 1 : 2
        case .limitExceeded: 3
        case .usage: 64
        case .unavailable: 69
        case .wouldOverwrite: 73
        case .tryAgain: 75
        case .permission: 77
        case .configuration: 78
        }
    }

    private func strict(_ failure: Failure) -> Int32 {
        switch failure {
        case .generic, .limitExceeded, .wouldOverwrite, .absent, .interrupted: 200
        case .unavailable, .tryAgain: 201
        case .damage: 202
        case .permission: 203
        case .configuration, .usage: 204
        }
    }

    private func standby(_ failure: Failure) -> Int32 {
        switch failure {
        case .generic, .damage, .limitExceeded, .absent, .interrupted: 1
        case .usage: 64
        case .wouldOverwrite: 73
        case .unavailable, .tryAgain: 75
        case .permission: 77
        case .configuration: 78
        }
    }
}
