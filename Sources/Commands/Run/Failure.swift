import Bytes
import Postgres
import Server
import Storage
import Streams

/// What kind of failure an error is, as far as exit codes tell failures apart.
package enum Failure: Equatable, Sendable {
    case generic
    /// Something stored, or on the disk, is damaged.
    case damage
    /// A limit that was asked for is exceeded.
    case limitExceeded
    case usage
    /// The store or the server does not answer.
    case unavailable
    /// It answers, and says later.
    case tryAgain
    /// It would replace something different.
    case wouldOverwrite
    /// The archive does not hold the file, and that is proven.
    case absent
    case permission
    case configuration
    /// A signal, by its number, ended the work.
    case interrupted(Int32)

    /// The kind of an error of any room.
    package init(_ error: any Error) {
        self = (error as? any FailureKind)?.failure ?? .generic
    }
}

/// An error that knows which kind of failure it is.
package protocol FailureKind: Error {
    var failure: Failure { get }
}

extension UsageError: FailureKind {
    package var failure: Failure { .usage }
}

extension ConfigurationError: FailureKind {
    package var failure: Failure { .configuration }
}

extension StorageError: FailureKind {
    package var failure: Failure {
        switch kind {
        case .notFound, .invalidRequest, .noSpace, .cancelled: .generic
        case .noSuchBucket: .configuration
        case .alreadyExists, .preconditionFailed: .wouldOverwrite
        case .permissionDenied: .permission
        case .throttled: .tryAgain
        case .unavailable: .unavailable
        case .corrupted: .damage
        }
    }
}

extension StreamError: FailureKind {
    package var failure: Failure {
        switch kind {
        case .corrupted, .truncated: .damage
        default: .generic
        }
    }
}

extension PostgresError: FailureKind {
    package var failure: Failure { .damage }
}

extension ServerError: FailureKind {
    package var failure: Failure {
        switch kind {
        case .connectionFailed, .connectionLost: .unavailable
        case .timedOut: .tryAgain
        case .refused, .unexpectedAnswer, .cancelled: .generic
        }
    }
}

extension SystemError: FailureKind {
    package var failure: Failure { isPermission ? .permission : .generic }
}

extension CancellationError: FailureKind {
    package var failure: Failure { .interrupted(15) }
}
