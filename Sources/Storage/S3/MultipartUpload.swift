package import Bytes

extension S3Store {
    package func withUpload<Outcome: Sendable>(
        to key: ObjectKey, _ options: PutOptions, pool: PartPool,
        _ body: (any ObjectUpload) async throws -> Outcome
    ) async throws -> (result: Outcome, info: ObjectInfo) {
        let upload = MultipartUpload(self, key, options, pool)
        let outcome: Result<(Outcome, ObjectInfo), any Error> = await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, configuration.uploadConcurrency) { group.addTask { await upload.work() } }
            do {
                let result = try await body(upload)
                await upload.close()
                await group.waitForAll()
                return .success((result, try await upload.finish()))
            } catch {
                await upload.fail(error)
                group.cancelAll()
                await group.waitForAll()
                await upload.abort()
                return .failure(error)
            }
        }
        let (result, info) = try outcome.get()
        return (result, info)
    }
}

/// One upload under way: holds the first part until a second comes, then sends parts as they come.
actor MultipartUpload: ObjectUpload {
    private let store: S3Store
    private let key: ObjectKey
    private let options: PutOptions
    private let pool: PartPool
    private let queue: UploadQueue
    private var held: Part?
    private var state = UploadState()

    init(_ store: S3Store, _ key: ObjectKey, _ options: PutOptions, _ pool: PartPool) {
        self.store = store
        self.key = key
        self.options = options
        self.pool = pool
        queue = UploadQueue(limit: store.configuration.uploadConcurrency)
    }

    func append(_ part: Part) async throws {
        guard part.count > 0 else { return pool.give(part) }
        do {
            try state.checkNext(part, key)
            if let first = held {
                try await begin()
                held = nil
                try await send(first)
            } else if state.uploadID == nil {
                held = part
                return
            }
        } catch {
            pool.give(part)
            throw error
        }
        try await send(part)
    }

    /// Sends parts until there are no more; one of several workers.
    nonisolated func work() async {
        while let item = await queue.take() {
            do {
                try await upload(item)
            } catch {
                await fail(error)
            }
            pool.give(item.part)
            await queue.done()
        }
    }

    func close() async { await queue.close() }

    func fail(_ error: any Error) async {
        for part in await queue.fail(error) { pool.give(part) }
    }

    /// Stores the object, all parts being sent.
    func finish() async throws -> ObjectInfo {
        if let failure = await queue.failure { throw failure }
        guard let uploadID = state.uploadID else {
            let part = held
            held = nil
            defer { if let part { pool.give(part) } }
            return try await store.put(part.map { [$0] } ?? [], at: key, options)
        }
        let info = try await store.complete(uploadID, key, options, state)
        state.uploadID = nil
        return info
    }

    /// Removes what was sent, also when the task is cancelled.
    func abort() async {
        if let held { pool.give(held) }
        held = nil
        guard let uploadID = state.uploadID else { return }
        state.uploadID = nil
        var request = store.request("abort upload", key, method: "DELETE")
        request.query = [("uploadId", uploadID)]
        request.shield = .all
        request.retry = RetryPolicy(maximumAttempts: 3, budget: .seconds(5))
        do {
            _ = try await store.send(request)
        } catch {
            guard error.serverCode != "NoSuchUpload" else { return }
            store.client.log.warning("\(error); its parts stay until the bucket's lifecycle rules remove them")
        }
    }

    private func begin() async throws {
        if options.mustNotExist, try await store.exists(key) { throw store.alreadyExists(key, nil) }
        var request = store.request("begin upload", key, method: "POST")
        request.query = [("uploads", "")]
        request.headers = store.creatingHeaders
        request.root = "InitiateMultipartUploadResult"
        // Without its answer, an upload that was begun could not be aborted.
        request.shield = .attempt
        let reply = try await store.send(request)
        guard let uploadID = reply.document?["UploadId"], !uploadID.isEmpty else {
            throw StorageError(
                .unavailable, operation: "begin upload", key: key, status: reply.response.status,
                requestID: reply.response["x-amz-request-id"], detail: "the server gave no upload id")
        }
        state.uploadID = uploadID
    }

    private func send(_ part: Part) async throws {
        let item = UploadQueue.Item(number: state.next(part), part: part)
        if await !queue.put(item) { pool.give(part) }
        if let failure = await queue.failure { throw failure }
    }

    private func upload(_ item: UploadQueue.Item) async throws {
        guard let uploadID = state.uploadID else { return }
        var request = store.request("PUT part \(item.number)", key, method: "PUT")
        request.query = [("partNumber", String(item.number)), ("uploadId", uploadID)]
        // A part is guarded by the SHA-256 that its signature covers; checksums of parts are not what all servers take.
        request.headers = store.readingHeaders
        request.carry([item.part], withChecksum: false)
        let reply = try await store.send(request)
        guard let etag = reply.response["etag"], !etag.isEmpty else {
            throw StorageError(
                .unavailable, operation: request.operation, key: key, status: reply.response.status,
                requestID: reply.response["x-amz-request-id"], attempts: reply.attempts,
                detail: "the server gave no entity tag")
        }
        state.etags[item.number] = etag
    }
}
