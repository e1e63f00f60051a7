import Glibc

/// A task executor of our own threads, for work that blocks: disk, codecs, libpq.
///
/// The cooperative pool is as wide as the machine and must never block; tasks that do are started with
/// `group.addTask(executorPreference:)` or `withTaskExecutorPreference` on one of these. The threads end when the
/// executor is no longer referenced.
package final class BlockingExecutor: TaskExecutor, @unchecked Sendable {
    // `queue` and `stopping` are touched under `mutex` alone.
    private final class Shared: @unchecked Sendable {
        var queue: [UnownedJob] = []
        var head = 0
        var stopping = false
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

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

        /// Waits for the next job; nil once the executor is gone and the queue is empty.
        func next() -> UnownedJob? {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            while head == queue.count && !stopping { pthread_cond_wait(condition, mutex) }
            guard head < queue.count else { return nil }
            let job = queue[head]
            head += 1
            if head == queue.count {
                queue.removeAll(keepingCapacity: true)
                head = 0
            }
            return job
        }

        func stop() {
            pthread_mutex_lock(mutex)
            stopping = true
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
    }

    private final class Worker: @unchecked Sendable {
        let shared: Shared
        let executor: UnownedTaskExecutor
        init(_ shared: Shared, _ executor: UnownedTaskExecutor) {
            self.shared = shared
            self.executor = executor
        }
    }

    private let shared = Shared()

    /// Starts `threads` threads (at least one).
    package init(threads: Int) {
        for _ in 0..<max(1, threads) {
            let worker = Worker(shared, asUnownedTaskExecutor())
            var thread = pthread_t()
            let context = Unmanaged.passRetained(worker).toOpaque()
            let status = pthread_create(
                &thread, nil,
                { context in
                    guard let context = context else { return nil }
                    let worker = Unmanaged<Worker>.fromOpaque(context).takeRetainedValue()
                    while let job = worker.shared.next() {
                        job.runSynchronously(on: worker.executor)
                    }
                    return nil
                }, context)
            precondition(status == 0, "pthread_create failed with \(status)")
            pthread_detach(thread)
        }
    }

    deinit { shared.stop() }

    package func enqueue(_ job: consuming ExecutorJob) {
        shared.add(UnownedJob(job))
    }
}
