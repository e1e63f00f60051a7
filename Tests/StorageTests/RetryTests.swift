import Bytes
import Testing

@testable import Storage

@Suite struct RetryTests {
    private let policy = RetryPolicy(
        maximumAttempts: 5, baseDelay: .milliseconds(100), maximumDelay: .seconds(1), budget: .seconds(10))

    @Test(arguments: [(1, 100), (2, 200), (3, 400), (4, 800)])
    func `delays double and are a random part`(failures: Int, ceiling: Int) {
        func delay(_ random: Double) -> Duration? {
            policy.delay(afterFailures: failures, elapsed: .zero, retryAfter: nil, random: random)
        }
        #expect(delay(0) == .zero)
        #expect(delay(0.5) == .milliseconds(ceiling / 2))
        #expect(delay(0.999).map { $0 < .milliseconds(ceiling) } ?? false)
    }

    @Test func `delays are bounded`() {
        var patient = policy
        patient.maximumAttempts = 1000
        let delay = patient.delay(afterFailures: 900, elapsed: .zero, retryAfter: nil, random: 0.5)
        #expect(delay == .milliseconds(500))
    }

    @Test func `attempts and time have an end`() {
        #expect(policy.delay(afterFailures: 5, elapsed: .zero, retryAfter: nil, random: 0) == nil)
        #expect(policy.delay(afterFailures: 1, elapsed: .seconds(10), retryAfter: nil, random: 0.1) == nil)
        #expect(policy.delay(afterFailures: 1, elapsed: .seconds(10), retryAfter: nil, random: 0) == .zero)
        #expect(RetryPolicy.none.delay(afterFailures: 1, elapsed: .zero, retryAfter: nil, random: 0) == nil)
    }

    @Test func `the server's wish is the least, and ends the attempts when it does not fit`() {
        #expect(policy.delay(afterFailures: 1, elapsed: .zero, retryAfter: .seconds(3), random: 0.9) == .seconds(3))
        #expect(policy.delay(afterFailures: 1, elapsed: .zero, retryAfter: .seconds(11), random: 0) == nil)
    }

    @Test(
        arguments: [
            (500, nil, AttemptFailure.Advice.retry), (502, nil, .retry), (503, "SlowDown", .retry), (504, nil, .retry),
            (429, nil, .retry), (408, nil, .retry), (400, "RequestTimeout", .retry), (200, "InternalError", .retry),
            (409, "ConditionalRequestConflict", .retry), (409, "OperationAborted", .retry),
            (400, "ExpiredToken", .renewCredentials), (403, "RequestTimeTooSkewed", .correctClock),
            (403, "AccessDenied", .giveUp), (403, nil, .giveUp), (404, "NoSuchKey", .giveUp), (412, nil, .giveUp),
            (501, "NotImplemented", .giveUp), (507, nil, .giveUp), (400, "InvalidArgument", .giveUp),
            (301, nil, .giveUp),
        ] as [(Int, String?, AttemptFailure.Advice)])
    func `what is tried again is decided by status and code`(
        status: Int, code: String?, advice: AttemptFailure.Advice
    ) {
        #expect(AttemptFailure.answer(status: status, code: code).advice == advice)
    }

    @Test(arguments: [
        (TransferError.Kind.unresolved, true, false), (.refused, true, false), (.timedOut, true, true),
        (.reset, true, true), (.truncated, true, true), (.untrusted, false, false), (.tooLong, false, true),
        (.malformed, false, false), (.cancelled, false, true),
    ])
    func `a broken transfer is tried again unless it would break again`(
        kind: TransferError.Kind, isRetryable: Bool, mayHaveBeenCarriedOut: Bool
    ) {
        #expect(AttemptFailure.transfer(kind).isRetryable == isRetryable)
        #expect(AttemptFailure.transfer(kind).mayHaveBeenCarriedOut == mayHaveBeenCarriedOut)
    }

    @Test(
        arguments: [
            (404, "NoSuchKey", false, StorageError.Kind.notFound), (404, "NoSuchBucket", false, .noSuchBucket),
            (404, nil, true, .notFound), (404, nil, false, .unavailable),
            (403, "AccessDenied", false, .permissionDenied),
            (403, nil, true, .permissionDenied), (403, "QuotaExceeded", false, .noSpace), (507, nil, false, .noSpace),
            (503, "SlowDown", false, .throttled), (429, nil, false, .throttled), (503, nil, false, .unavailable),
            (500, "InternalError", false, .unavailable), (412, "PreconditionFailed", false, .preconditionFailed),
            (400, "BadDigest", false, .corrupted), (400, "InvalidArgument", false, .invalidRequest),
            (501, "NotImplemented", false, .invalidRequest), (409, "ConditionalRequestConflict", false, .unavailable),
        ] as [(Int, String?, Bool, StorageError.Kind)])
    func `answers become kinds that callers act on`(
        status: Int, code: String?, isHead: Bool, kind: StorageError.Kind
    ) {
        #expect(S3Fault.kind(status: status, code: code, isHead: isHead) == kind)
    }
}
