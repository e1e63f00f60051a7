/// Takes note of how far a long work is.
///
/// Called from any thread, often: implementations are cheap and never block for long.
package protocol ProgressReporting: Sendable {
    /// The work begins; `total` bytes are expected, nil when that is not known.
    func started(total: Int?)
    /// More bytes are done.
    func advanced(by byteCount: Int)
    /// The work has ended, well or not.
    func finished()
}

/// Progress that nobody looks at.
package struct NoProgress: ProgressReporting {
    package init() {}
    package func started(total: Int?) {}
    package func advanced(by byteCount: Int) {}
    package func finished() {}
}
