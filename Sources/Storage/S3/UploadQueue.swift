import Bytes

/// What happens between the one who makes parts and the workers that send them: a short queue with an end.
///
/// At most `limit` parts are queued or in flight; who brings one more waits.
actor UploadQueue {
    struct Item: Sendable {
        let number: Int
        let part: Part
    }

    private let limit: Int
    private var items: [Item] = []
    private var inFlight = 0
    private var isOver = false
    private(set) var failure: (any Error)?
    private var givers: [CheckedContinuation<Void, Never>] = []
    private var takers: [CheckedContinuation<Item?, Never>] = []

    init(limit: Int) { self.limit = max(1, limit) }

    /// Queues a part and waits until there is room for the next, or the upload has failed.
    ///
    /// False when it had failed before; the part is then still the caller's.
    func put(_ item: Item) async -> Bool {
        if failure != nil { return false }
        if takers.isEmpty {
            items.append(item)
        } else {
            inFlight += 1
            takers.removeFirst().resume(returning: item)
        }
        while failure == nil, items.count + inFlight >= limit {
            await withCheckedContinuation { givers.append($0) }
        }
        return true
    }

    /// The next part to send; nil when there will be none.
    func take() async -> Item? {
        if failure != nil { return nil }
        if !items.isEmpty {
            inFlight += 1
            return items.removeFirst()
        }
        if isOver { return nil }
        return await withCheckedContinuation { takers.append($0) }
    }

    /// A part that was taken has been stored.
    func done() {
        inFlight -= 1
        wakeGivers()
    }

    /// There will be no more parts.
    func close() {
        isOver = true
        wakeTakers()
    }

    /// Nothing more is to be sent; returns the parts that were still queued.
    ///
    /// The first failure counts.
    func fail(_ error: any Error) -> [Part] {
        if failure == nil { failure = error }
        let left = items.map(\.part)
        items = []
        wakeGivers()
        wakeTakers()
        return left
    }

    private func wakeGivers() {
        let waiting = givers
        givers = []
        for giver in waiting { giver.resume() }
    }

    private func wakeTakers() {
        let waiting = takers
        takers = []
        for taker in waiting { taker.resume(returning: nil) }
    }
}
