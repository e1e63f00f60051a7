import Bytes
import Glibc

/// Turns the first SIGTERM or SIGINT into a value that can be awaited; the second one kills.
///
/// The signals are blocked in every thread and taken by one thread of ours, so no code runs in a handler.
final class Interruption: Sendable {
    private enum State {
        case quiet
        case waiting(CheckedContinuation<Int32?, Never>)
        /// A signal came, or (nil) nobody needs to wait any more.
        case over(Int32?)
    }

    private let state = Locked(State.quiet)

    /// Blocks the signals and starts the thread; called before other threads exist.
    func begin() {
        var signals = Self.signals
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Interruption>.fromOpaque(context).takeRetainedValue().listen()
                return nil
            }, context)
        guard result == 0 else {
            // Without the thread the signals kill at once, as they do by default.
            Unmanaged<Interruption>.fromOpaque(context).release()
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            return
        }
        pthread_detach(thread)
    }

    /// The signal, when one comes; nil after `end`.
    func signal() async -> Int32? {
        await withCheckedContinuation { continuation in
            let known: Int32?? = state.withLock { state in
                if case .over(let signal) = state { return signal }
                state = .waiting(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Lets a waiting `signal()` return nil.
    func end() { settle(nil) }

    /// The signal that came.
    var taken: Int32? {
        state.withLock { state in
            if case .over(let signal) = state { signal } else { nil }
        }
    }

    private func settle(_ signal: Int32?) {
        let waiting: CheckedContinuation<Int32?, Never>? = state.withLock { state in
            switch state {
            case .over: return nil
            case .quiet:
                state = .over(signal)
                return nil
            case .waiting(let continuation):
                state = .over(signal)
                return continuation
            }
        }
        waiting?.resume(returning: signal)
    }

    private func listen() {
        while true {
            var signals = Self.signals
            var signal: CInt = 0
            guard sigwait(&signals, &signal) == 0 else { return }
            if taken != nil { Self.die(by: signal) }
            settle(signal)
        }
    }

    /// Ends this process by the signal, as if it had never been taken.
    static func die(by signal: Int32) {
        Glibc.signal(signal, SIG_DFL)
        var signals = Self.signals
        kill(getpid(), signal)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    private static var signals: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        return signals
    }
}
