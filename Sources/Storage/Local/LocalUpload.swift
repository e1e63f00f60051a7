import Bytes

/// An upload into a local directory: each part is written as it comes.
final class LocalUpload: ObjectUpload {
    private struct State {
        var order = PartOrder()
        var failure: StorageError?
    }

    private let file: TemporaryFile
    private let key: ObjectKey
    private let pool: PartPool
    private let disk: BlockingExecutor
    private let state = Locked(State())

    init(file: TemporaryFile, key: ObjectKey, pool: PartPool, disk: BlockingExecutor) {
        self.file = file
        self.key = key
        self.pool = pool
        self.disk = disk
    }

    func append(_ part: Part) async throws {
        defer { pool.give(part) }
        try await withTaskExecutorPreference(disk) { () async throws(StorageError) in
            try write(part)
        }
    }

    /// Ends the upload; an error of a part that the caller passed over comes back here.
    func close() throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            if let failure = state.failure { throw failure }
            state.order.close()
        }
    }

    private func write(_ part: Part) throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            if let failure = state.failure { throw failure }
            do throws(StorageError) {
                try checkCancellation("write", key)
                try state.order.add(part, key)
                do throws(SystemError) {
                    try part.withBytes { bytes throws(SystemError) in try file.write(bytes) }
                } catch {
                    throw StorageError(error, operation: "write", key: key)
                }
            } catch {
                state.failure = error
                throw error
            }
        }
    }
}

/// Checks an upload's parts against the contract: all full but the last, none after the end.
struct PartOrder {
    private var sawLast = false
    private var isClosed = false

    mutating func add(_ part: Part, _ key: ObjectKey) throws(StorageError) {
        guard !isClosed, !sawLast else {
            let problem =
                isClosed ? "a part came after the end of the upload" : "a part came after one that was not full"
            throw StorageError(.invalidRequest, operation: "write", key: key, detail: problem)
        }
        sawLast = !part.isFull
    }

    mutating func close() { isClosed = true }
}
