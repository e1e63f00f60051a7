/// A bounded stock of parts: waiting for a free one is the back-pressure of the data path.
package final class PartPool: Sendable {
    private struct Waiter {
        let id: Int
        let continuation: CheckedContinuation<Part?, Never>
    }

    private struct Stock {
        var free: [Part] = []
        var allocated = 0
        var waiters: [Waiter] = []
        var cancelled: Set<Int> = []
        var nextID = 0
    }

    /// Bytes a part holds.
    package let partSize: Int
    /// Parts that may exist at once, overdrafts aside.
    package let limit: Int
    private let stock = Locked(Stock())

    package init(partSize: Int, limit: Int) {
        precondition(partSize > 0 && limit > 0)
        self.partSize = partSize
        self.limit = limit
    }

    /// A free part at once, or nil when all are in use.
    package func tryTake() -> Part? {
        stock.withLock { stock -> Part? in
            if let part = stock.free.popLast() { return part }
            guard stock.allocated < limit else { return nil }
            stock.allocated += 1
            return Part(capacity: partSize)
        }
    }

    /// A part beyond the limit, for a burst that a stage cannot hold back.
    ///
    /// It joins the pool when given back.
    package func overdraft() -> Part {
        stock.withLock { $0.allocated += 1 }
        return Part(capacity: partSize)
    }

    /// A free part, waiting for one if need be.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while waiting.
    package func take() async throws -> Part {
        if let part = tryTake() { return part }
        let id = stock.withLock { stock -> Int in
            stock.nextID += 1
            return stock.nextID
        }
        let part = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Part?, Never>) in
                enum Next {
                    case now(Part?)
                    case later
                }
                let next = stock.withLock { stock -> Next in
                    if stock.cancelled.remove(id) != nil { return .now(nil) }
                    if let part = stock.free.popLast() { return .now(part) }
                    if stock.allocated < limit {
                        stock.allocated += 1
                        return .now(Part(capacity: partSize))
                    }
                    stock.waiters.append(Waiter(id: id, continuation: continuation))
                    return .later
                }
                if case .now(let part) = next { continuation.resume(returning: part) }
            }
        } onCancel: {
            let waiter = stock.withLock { stock -> Waiter? in
                if let index = stock.waiters.firstIndex(where: { $0.id == id }) {
                    return stock.waiters.remove(at: index)
                }
                stock.cancelled.insert(id)
                return nil
            }
            waiter?.continuation.resume(returning: nil)
        }
        guard let part else { throw CancellationError() }
        return part
    }

    /// Returns a part that is no longer needed; the longest-waiting taker gets it.
    package func give(_ part: Part) {
        part.reset()
        precondition(part.capacity == partSize)
        let waiter = stock.withLock { stock -> Waiter? in
            // A waiter takes even an overdraft, so that nobody waits while memory lies idle.
            if !stock.waiters.isEmpty { return stock.waiters.removeFirst() }
            if stock.allocated > limit {
                stock.allocated -= 1
            } else {
                stock.free.append(part)
            }
            return nil
        }
        waiter?.continuation.resume(returning: part)
    }
}
