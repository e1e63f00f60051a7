package import Server

extension ServerError: FailureKind {
    package var failure: Failure {
        switch kind {
        case .connectionFailed, .connectionLost, .timedOut: .unavailable
        case .refused: sqlState == "42501" ? .permission : .generic
        case .unexpectedAnswer: .generic
        case .cancelled: .interrupted(15)
        }
    }
}
