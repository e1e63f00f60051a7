import Storage

/// The sentinel's write failed in a way that leaves open whether it is stored.
struct SentinelInDoubt: Error {
    let cause: any Error

    /// Whether the store refused the write at its only attempt, so that nothing can have been stored.
    static func isRefusal(_ error: any Error) -> Bool {
        guard let error = error as? StorageError, let status = error.status else { return false }
        // 408 is what a proxy says that gave up waiting.
        return error.operation == "PUT" && error.attempts == 1 && (400..<500).contains(status) && status != 408
    }
}
