import Glibc

/// A thread of our own that runs an actor's jobs, which may block in libpq.
///
/// The thread ends when the executor is no longer referenced.
final class ServerThread: SerialExecutor, @unchecked Sendable {
    // `queue` and `stopping` are touched under `mutex` alone.
    private final class Shared: @unchecked Sendable {
        private var queue: [UnownedJob] = []
        private var stopping = false
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

        init() {
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(condition, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            pthread_cond_destroy(condition)
            mutex.deallocate()
            condition.deallocate()
        }

        func add(_ job: UnownedJob) {
            pthread_mutex_lock(mutex)
            queue.append(job)
            pthread_cond_signal(condition)
            pthread_mutex_unlock(mutex)
        }

        func next() -> UnownedJob? {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            while queue.isEmpty && !stopping { pthread_cond_wait(condition, mutex) }
            return queue.isEmpty ? nil : queue.removeFirst()
        }

        func stop() {
            pthread_mutex_lock(mutex)
            stopping = true
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
    }

    private final class Worker: Sendable {
        let shared: Shared
        let executor: UnownedSerialExecutor
        init(_ shared: Shared, _ executor: UnownedSerialExecutor) {
            self.shared = shared
            self.executor = executor
        }
    }

    private let shared = Shared()

    init() {
        var thread = pthread_t()
        let worker = Worker(shared, asUnownedSerialExecutor())
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context = context else { return nil }
                let worker = Unmanaged<Worker>.fromOpaque(context).takeRetainedValue()
                while let job = worker.shared.next() { job.runSynchronously(on: worker.executor) }
                return nil
            }, Unmanaged.passRetained(worker).toOpaque())
        precondition(status == 0, "pthread_create failed with \(status)")
        pthread_detach(thread)
    }

    deinit { shared.stop() }

    func enqueue(_ job: consuming ExecutorJob) { shared.add(UnownedJob(job)) }
}
