package import Bytes
import Glibc

/// When and how long to try again: exponential delays with full jitter, within a number of attempts and a time.
///
/// The delay before attempt n + 1 is a random part of min(`maximumDelay`, `baseDelay` × 2^(n − 1)); a server's
/// `Retry-After` is the least that is waited. With the defaults the upper bounds are 0.1, 0.2, 0.4 … 10 s.
package struct RetryPolicy: Equatable, Sendable {
    /// Attempts in a row without progress, the first included.
    package var maximumAttempts: Int
    package var baseDelay: Duration
    package var maximumDelay: Duration
    /// From the first attempt on; no attempt begins later than this.
    package var budget: Duration

    package init(
        maximumAttempts: Int = 15, baseDelay: Duration = .milliseconds(100), maximumDelay: Duration = .seconds(10),
        budget: Duration = .seconds(50)
    ) {
        self.maximumAttempts = maximumAttempts
        self.baseDelay = baseDelay
        self.maximumDelay = maximumDelay
        self.budget = budget
    }

    /// One attempt.
    package static let none = RetryPolicy(maximumAttempts: 1)

    /// The delay after `failures` failures in a row, `elapsed` after the first attempt began; nil to give up.
    ///
    /// `random` is in 0 ..< 1.
    package func delay(
        afterFailures failures: Int, elapsed: Duration, retryAfter: Duration?, random: Double
    ) -> Duration? {
        guard failures < maximumAttempts else { return nil }
        let ceiling = min(maximumDelay, baseDelay * (1 << min(max(0, failures - 1), 20)))
        let delay = max(ceiling * random, retryAfter ?? .zero)
        return elapsed + delay <= budget ? delay : nil
    }
}

/// Time and chance for retries, as parameters so that tests need neither.
package struct RetryClock: Sendable {
    /// The wall clock, for signatures.
    package var now: @Sendable () -> Timestamp
    /// A clock that only goes forward.
    package var elapsed: @Sendable () -> Duration
    package var sleep: @Sendable (Duration) async throws -> Void
    /// Uniform in 0 ..< 1.
    package var random: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> Timestamp, elapsed: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.elapsed = elapsed
        self.sleep = sleep
        self.random = random
    }

    package static let system = RetryClock(
        now: { Timestamp.now() },
        elapsed: {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        },
        sleep: { try await Task.sleep(for: $0) },
        random: { Double.random(in: 0..<1) })
}

/// Why one attempt did not succeed.
enum AttemptFailure: Equatable, Sendable {
    case transfer(TransferError.Kind)
    /// The server answered with this status and, in the body, this code.
    case answer(status: Int, code: String?)
    /// A good status with a body that is not what S3 sends, or less of it than asked for.
    case incomplete

    /// The one place that decides what is worth another attempt.
    ///
    /// `renewed` failures are retried once, after the reason has been taken away: the clock's offset, new credentials.
    enum Advice: Equatable, Sendable { case giveUp, retry, correctClock, renewCredentials }

    var advice: Advice {
        switch self {
        case .transfer(let kind):
            switch kind {
            case .unresolved, .refused, .timedOut, .reset, .truncated: .retry
            case .untrusted, .tooLong, .malformed, .cancelled: .giveUp
            }
        case .incomplete: .retry
        case .answer(let status, let code):
            switch (status, code) {
            case (_, "RequestTimeTooSkewed"): .correctClock
            case (_, "ExpiredToken"), (_, "ExpiredTokenException"), (_, "TokenRefreshRequired"): .renewCredentials
            case (_, "SlowDown"), (_, "RequestTimeout"), (_, "InternalError"), (_, "ServiceUnavailable"),
                (_, "Throttling"), (_, "ThrottlingException"), (_, "TooManyRequests"), (_, "RequestLimitExceeded"),
                (_, "ConditionalRequestConflict"), (_, "OperationAborted"):
                .retry
            case (501, _), (505, _), (507, _): .giveUp
            case (408, _), (429, _), (500..., _): .retry
            default: .giveUp
            }
        }
    }

    var isRetryable: Bool { advice == .retry }

    /// False when the server can be relied upon not to have carried the request out.
    var mayHaveBeenCarriedOut: Bool {
        switch self {
        case .transfer(let kind):
            switch kind {
            case .unresolved, .refused, .untrusted, .malformed: false
            case .timedOut, .reset, .truncated, .tooLong, .cancelled: true
            }
        case .incomplete: true
        case .answer(let status, let code): status >= 500 && code != "SlowDown" || status == 408 || status == 200
        }
    }
}
