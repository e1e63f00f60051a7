import Bytes
import Commands
import Postgres
import Storage
import Streams
import Testing

@Suite struct ExitCodesTests {
    private static let failures: [Failure] = [
        .generic, .damage, .limitExceeded, .usage, .unavailable, .tryAgain, .wouldOverwrite, .absent, .permission,
        .configuration, .interrupted(15), .interrupted(2),
    ]

    /// Source: conventions.md, section 2.
    @Test(
        arguments: zip(
            failures,
            [
                (1, 200, 1, 1), (1, 202, 1, 2), (3, 200, 1, 3), (64, 204, 64, 64), (69, 201, 75, 69), (75, 201, 75, 75),
                (73, 200, 73, 73), (1, 74, 74, 1), (77, 203, 77, 77), (78, 204, 78, 78), (1, nil, nil, 143),
                (1, nil, nil, 130),
            ] as [(Int32?, Int32?, Int32?, Int32?)]))
    func `each failure has its code`(failure: Failure, codes: (Int32?, Int32?, Int32?, Int32?)) {
        #expect(ExitCodes(.push).code(failure) == codes.0)
        #expect(ExitCodes(.fetch).code(failure) == codes.1)
        #expect(ExitCodes(.standbyFetch).code(failure) == codes.2)
        #expect(ExitCodes(.other).code(failure) == codes.3)
    }

    @Test(arguments: failures)
    func `PostgreSQL never misunderstands a code`(failure: Failure) throws {
        for isWALG in [false, true] {
            let push = try #require(ExitCodes(.push, isWALG: isWALG).code(failure))
            #expect((1...125).contains(push))
            if let standby = ExitCodes(.standbyFetch, isWALG: isWALG).code(failure) {
                #expect((1...125).contains(standby))
            }
            if failure != .absent, let strict = ExitCodes(.fetch, isWALG: isWALG).code(failure) {
                #expect(strict >= 126)
            }
        }
    }

    @Test func `as wal-g everything but absence and wal-fetch ends with 1`() {
        for failure in [Failure.usage, .configuration, .unavailable, .damage] {
            #expect(ExitCodes(.other, isWALG: true).code(failure) == 1)
            #expect(ExitCodes(.push, isWALG: true).code(failure) == 1)
        }
        #expect(ExitCodes(.fetch, isWALG: true).code(.absent) == 74)
        #expect(ExitCodes(.fetch, isWALG: true).code(.unavailable) == 201)
    }

    @Test func `WAL-G's number for wal-fetch can be asked for`() {
        let codes = ExitCodes(.fetch, fetchError: 1)
        #expect(codes.code(.unavailable) == 1)
        #expect(codes.code(.absent) == 74)
    }

    @Test(arguments: [
        (StorageError.Kind.notFound, Failure.generic), (.noSuchBucket, .configuration),
        (.alreadyExists, .wouldOverwrite), (.preconditionFailed, .wouldOverwrite), (.permissionDenied, .permission),
        (.throttled, .tryAgain), (.unavailable, .unavailable), (.corrupted, .damage), (.invalidRequest, .generic),
        (.noSpace, .generic),
    ])
    func `errors of the store are told apart`(kind: StorageError.Kind, failure: Failure) {
        #expect(Failure(StorageError(kind, operation: "GET", detail: "")) == failure)
    }

    @Test func `errors of the other rooms are told apart`() {
        #expect(Failure(SystemError(call: "open", path: "x", code: 13)) == .permission)
        #expect(Failure(SystemError(call: "open", path: "x", code: 2)) == .generic)
        #expect(Failure(UsageError(.unknownFlag, command: "", "")) == .usage)
        #expect(Failure(ConfigurationError(.noStorage, subject: "", detail: "")) == .configuration)
        #expect(Failure(CancellationError()) == .interrupted(15))
    }
}
