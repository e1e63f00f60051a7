import Bytes
import Storage
import Testing

@testable import Archiver

@Suite struct BackupWatchTests {
    /// Time that passes by sleeping alone, and what happened when, in seconds.
    private final class Course: Sendable {
        private let time = Locked(0)
        private let end = Locked(0)
        let pings = Locked([Int]())
        let renewals = Locked([Int]())

        var clock: RetryClock {
            RetryClock(
                now: { Timestamp(seconds: 0) }, elapsed: { .seconds(self.time.withLock { $0 }) },
                sleep: { pause in
                    let end = self.end.withLock { $0 }
                    let now = self.time.withLock { time in
                        time = min(end, time + Int(pause.components.seconds))
                        return time
                    }
                    guard now < end else { throw CancellationError() }
                }, random: { 0 })
        }

        /// One step of a backup, of `seconds`.
        func step(_ watch: BackupWatch, seconds: Int) async {
            end.withLock { $0 += seconds }
            await #expect(throws: CancellationError.self) {
                try await watch.run(ping: { self.note(self.pings) }, renew: { self.note(self.renewals) })
            }
        }

        private func note(_ list: Locked<[Int]>) {
            let now = time.withLock { $0 }
            list.withLock { $0.append(now) }
        }
    }

    @Test(arguments: [
        (Duration.seconds(120), [120, 240, 360, 480, 600], [300, 600]), (.seconds(400), [400], [300, 600]),
        (.zero, [], [300, 600]),
    ])
    func `the session is pinged as often as is said and the mark renewed always`(
        interval: Duration, pings: [Int], renewals: [Int]
    ) async {
        let course = Course()
        let watch = BackupWatch(pingInterval: interval, renewal: .seconds(300), clock: course.clock)
        await course.step(watch, seconds: 601)
        #expect(course.pings.withLock { $0 } == pings)
        #expect(course.renewals.withLock { $0 } == renewals)
    }

    @Test func `many short steps renew as often as a long one`() async {
        let course = Course()
        let watch = BackupWatch(pingInterval: .zero, renewal: .seconds(300), clock: course.clock)
        for _ in 0..<10 { await course.step(watch, seconds: 100) }
        #expect(course.renewals.withLock { $0 } == [300, 600, 900])
    }
}
