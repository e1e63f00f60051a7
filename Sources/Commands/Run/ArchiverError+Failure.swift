package import Archiver
package import Repository

extension ArchiverError: FailureKind {
    package var failure: Failure {
        switch kind {
        case .usage: .usage
        case .configuration: .configuration
        case .absent: .absent
        case .corrupted: .damage
        case .conflict: .wouldOverwrite
        case .localFile: .generic
        case .deadline: .unavailable
        case .busy: .tryAgain
        case .server: .generic
        }
    }
}

extension RepositoryError: FailureKind {
    package var failure: Failure {
        switch kind {
        case .damaged: .damage
        case .notFound, .ambiguous, .unsupported: .generic
        }
    }
}
