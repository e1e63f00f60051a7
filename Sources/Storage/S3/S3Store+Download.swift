package import Bytes

extension S3Store {
    @discardableResult
    package func download(
        _ key: ObjectKey, pool: PartPool, ahead: Int, _ receive: (Part) async throws -> Void
    ) async throws -> ObjectInfo {
        let first = try await pool.take()
        let info: ObjectInfo
        do {
            info = try await begin(key, first)
        } catch {
            pool.give(first)
            throw error
        }
        guard info.byteCount > 0 else {
            pool.give(first)
            return info
        }
        let count = (info.byteCount + pool.partSize - 1) / pool.partSize
        let failure = await withTaskGroup(of: Fetched.self) { group in
            var ready = [0: first]
            var delivered = 0
            var next = 1
            var failure: (any Error)?
            do {
                while delivered < count {
                    // Only the range that is waited for may wait for a part: parts for later ones are taken when they
                    // are free, or downloads that share a pool could hold one another's.
                    while next < count, next - delivered <= max(1, ahead),
                        let part = next == delivered ? try await pool.take() : pool.tryTake()
                    {
                        let index = next
                        group.addTask { await fetch(key, index, part, info) }
                        next += 1
                    }
                    if let part = ready.removeValue(forKey: delivered) {
                        delivered += 1
                        try await receive(part)
                    } else if let fetched = await group.next() {
                        ready[fetched.index] = fetched.part
                        if let error = fetched.error { throw error }
                    }
                }
            } catch {
                failure = error
                group.cancelAll()
            }
            for await fetched in group { pool.give(fetched.part) }
            for part in ready.values { pool.give(part) }
            return failure
        }
        if let failure { throw failure }
        return info
    }

    private struct Fetched: Sendable {
        let index: Int
        let part: Part
        let error: StorageError?
    }

    /// Reads the first part and learns the object's size and entity tag from it.
    private func begin(_ key: ObjectKey, _ part: Part) async throws(StorageError) -> ObjectInfo {
        let reply: S3Reply
        do {
            reply = try await send(rangedRequest(key, 0..<part.capacity, part, etag: nil))
        } catch let error where error.status == 416 {
            // An object without bytes has no range that could be asked for.
            let reply = try await head(key)
            let info = try info(key, reply, byteCount: Self.length(reply.response))
            guard info.byteCount == 0 else { throw changed(key, reply) }
            return info
        }
        var size: Int? = part.count
        if reply.response.status == 206 {
            size = reply.response["content-range"]?.split(separator: "/").last.flatMap { Int($0) }
        }
        let info = try info(key, reply, byteCount: size)
        if let error = await fetch(key, 0, part, info).error { throw error }
        return info
    }

    /// Fills the part with the bytes of its range that it does not hold yet.
    private func fetch(_ key: ObjectKey, _ index: Int, _ part: Part, _ info: ObjectInfo) async -> Fetched {
        let start = index * part.capacity
        let wanted = min(part.capacity, info.byteCount - start)
        do {
            while part.count < wanted {
                let held = part.count
                let reply = try await send(rangedRequest(key, start..<start + wanted, part, etag: info.etag))
                guard part.count > held else { throw changed(key, reply) }
            }
            guard part.count == wanted else {
                throw StorageError(
                    .corrupted, operation: "GET bytes \(start)-\(start + wanted - 1)", key: key,
                    detail: "\(part.count) bytes arrived where \(wanted) were asked for")
            }
        } catch let error as StorageError {
            return Fetched(index: index, part: part, error: error)
        } catch {}
        return Fetched(index: index, part: part, error: nil)
    }

    private func rangedRequest(_ key: ObjectKey, _ range: Range<Int>, _ part: Part, etag: String?) -> S3Request {
        var request = request("GET bytes \(range.lowerBound)-\(range.upperBound - 1)", key, method: "GET")
        request.headers = readingHeaders
        request.part = part
        request.range = range
        request.etag = etag
        return request
    }

    private func changed(_ key: ObjectKey, _ reply: S3Reply) -> StorageError {
        StorageError(
            .preconditionFailed, operation: "GET", key: key, status: reply.response.status,
            requestID: reply.response["x-amz-request-id"], attempts: reply.attempts,
            detail: "the server's answers contradict each other; the object may have changed while it was being read")
    }
}
