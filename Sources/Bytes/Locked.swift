import Glibc

/// State behind a pthread mutex: touched and left, never held over an `await`.
///
/// `Synchronization.Mutex` is not used because ThreadSanitizer reports its correct use as a race on Linux.
package final class Locked<State>: @unchecked Sendable {
    // Touched between lock and unlock alone; that rule makes the class Sendable.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init(_ initial: sending State) {
        state = initial
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the lock held and returns what it returns.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
