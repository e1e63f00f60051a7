import Bytes
import Dispatch
import Glibc
import Testing

@Suite struct BlockingExecutorTests {
    @Test(.timeLimit(.minutes(1))) func `tasks that block each other's threads run beside each other`() async {
        let executor = BlockingExecutor(threads: 2)
        let (ping, pong) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        func meet(_ mine: DispatchSemaphore, _ other: DispatchSemaphore) {
            other.signal()
            mine.wait()
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: executor) { meet(ping, pong) }
            group.addTask(executorPreference: executor) { meet(pong, ping) }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `all jobs run, on its own threads alone`() async {
        let executor = BlockingExecutor(threads: 3)
        let threads = Locked<Set<pthread_t>>([])
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 1...1000 {
                group.addTask(executorPreference: executor) {
                    threads.withLock { _ = $0.insert(pthread_self()) }
                    return number
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 500_500)
        #expect((1...3).contains(threads.withLock { $0.count }))
    }

    @Test(.timeLimit(.minutes(1))) func `fewer than one thread is one`() async {
        let executor = BlockingExecutor(threads: 0)
        #expect(await Task(executorPreference: executor) { 7 }.value == 7)
    }
}
