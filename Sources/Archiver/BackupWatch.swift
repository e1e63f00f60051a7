import Bytes
import Storage

/// What is done beside a backup's work: the session is pinged, the mark renewed.
///
/// One for a whole backup, so that many short steps renew as one long one does.
struct BackupWatch: Sendable {
    /// Zero for never.
    private let pingInterval: Duration
    private let renewal: Duration
    private let clock: RetryClock
    /// When the mark was written, in the clock's `elapsed`.
    private let renewed: Locked<Duration>

    /// Begins with a mark just written.
    init(pingInterval: Duration, renewal: Duration, clock: RetryClock = .system) {
        // A shorter interval would only load the server.
        self.pingInterval = pingInterval == .zero ? .zero : max(pingInterval, .seconds(1))
        self.renewal = renewal
        self.clock = clock
        renewed = Locked(clock.elapsed())
    }

    /// Pings and renews until the task is cancelled or one of them fails.
    func run(ping: () async throws -> Void, renew: () async throws -> Void) async throws {
        var pinged = clock.elapsed()
        while true {
            var next = renewed.withLock { $0 } + renewal
            if pingInterval > .zero { next = min(next, pinged + pingInterval) }
            let pause = next - clock.elapsed()
            if pause > .zero { try await clock.sleep(pause) }
            try Task.checkCancellation()
            if pingInterval > .zero, clock.elapsed() >= pinged + pingInterval {
                pinged = clock.elapsed()
                try await ping()
            }
            if clock.elapsed() >= renewed.withLock({ $0 }) + renewal {
                let now = clock.elapsed()
                try await renew()
                renewed.withLock { $0 = now }
            }
        }
    }
}
