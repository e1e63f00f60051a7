import Bytes
import Testing

@Suite struct PartPoolTests {
    @Test func `no more parts exist than the limit allows`() throws {
        let pool = PartPool(partSize: 16, limit: 2)
        let first = try #require(pool.tryTake())
        _ = try #require(pool.tryTake())
        #expect(pool.tryTake() == nil)
        first.append(([1, 2] as [UInt8]).span.bytes)
        pool.give(first)
        let again = try #require(pool.tryTake())
        #expect(again === first)
        #expect(again.count == 0)
    }

    @Test func `an overdraft goes beyond the limit and is given up again`() throws {
        let pool = PartPool(partSize: 16, limit: 1)
        let part = try #require(pool.tryTake())
        let extra = pool.overdraft()
        #expect(extra !== part && extra.capacity == 16)
        pool.give(extra)
        #expect(pool.tryTake() == nil)
        pool.give(part)
        #expect(pool.tryTake() === part)
        #expect(pool.tryTake() == nil)
    }

    @Test(.timeLimit(.minutes(1))) func `a taker gets the part that is given back`() async throws {
        let pool = PartPool(partSize: 16, limit: 1)
        let part = try await pool.take()
        async let next = pool.take()
        pool.give(part)
        #expect(try await next === part)
    }

    @Test(.timeLimit(.minutes(1))) func `a waiting taker that is cancelled throws, and no part is lost`() async throws {
        let pool = PartPool(partSize: 16, limit: 1)
        for _ in 0..<200 {
            let part = try await pool.take()
            let taker = Task { try await pool.take() }
            taker.cancel()
            await #expect(throws: CancellationError.self) { try await taker.value }
            pool.give(part)
            let again = try #require(pool.tryTake())
            pool.give(again)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `takers, cancelled ones among them, share the parts and none is lost`()
        async throws
    {
        let pool = PartPool(partSize: 16, limit: 3)
        let held = Locked((now: 0, most: 0))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<12 {
                group.addTask {
                    for round in 0..<200 {
                        let taker = Task { try await pool.take() }
                        if number.isMultiple(of: 3) && round.isMultiple(of: 2) { taker.cancel() }
                        guard let part = try? await taker.value else { continue }
                        held.withLock { held in
                            held.now += 1
                            held.most = max(held.most, held.now)
                        }
                        await Task.yield()
                        held.withLock { $0.now -= 1 }
                        pool.give(part)
                    }
                }
            }
        }
        #expect(held.withLock { $0.most } <= 3)
        let parts = [pool.tryTake(), pool.tryTake(), pool.tryTake(), pool.tryTake()]
        #expect(parts.count { $0 != nil } == 3)
    }
}
