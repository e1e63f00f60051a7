/// Runs `body` and cancels it when it has not ended after `limit`.
///
/// - Throws: what `body` throws; `ArchiverError` of kind `deadline`, naming `what`, when the time was up.
package func withDeadline<Result: Sendable>(
    _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        if let result = first { return result }
        // The time is up. The body is told, and may still have a word: a result that is complete counts.
        group.cancelAll()
        if let late = try? await group.next(), let result = late { return result }
        throw ArchiverError(.deadline, "\(what): not done after \(limit.components.seconds) s, given up")
    }
}
