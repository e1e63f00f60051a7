import Bytes
import Digests

/// Sends S3 requests: addresses and signs each attempt anew, judges the answers, retries what is worth it.
final class S3Client: Sendable {
    let configuration: S3Configuration
    let log: Log
    let clock: RetryClock
    private let loop: CurlLoop
    private let endpoint: S3Endpoint
    /// What the server's clock is ahead of ours, once it has refused a request for that.
    private let clockOffset = Locked(Duration.zero)

    init(_ configuration: S3Configuration, log: Log, clock: RetryClock) {
        self.configuration = configuration
        self.log = log
        self.clock = clock
        loop = CurlLoop(certificates: configuration.certificates)
        endpoint = configuration.endpoint ?? S3Endpoint(host: "s3.\(configuration.region).amazonaws.com")
    }

    /// Sends until there is a good answer or the policy gives up.
    func send(_ wanted: S3Request) async throws(S3Failure) -> S3Reply {
        var request = wanted
        let start = clock.elapsed()
        var state = RetryState()
        while true {
            let credentials = try await credentials(for: request, state)
            if let expired = state.expired, expired.credentials == credentials {
                throw failure(request, expired.fault, state, credentials)
            }
            state.expired = nil
            state.attempts += 1
            let held = request.part?.count ?? 0
            let now = clock.now().advanced(by: clockOffset.withLock { $0 })
            let result = await loop.perform(http(request, credentials, now), shielded: request.shield != .none)
            let fault: S3Fault
            switch S3Fault.judge(result, of: request, place: endpoint.description) {
            case .success(let (response, document)):
                if let etag = request.etag, response["etag"].map(S3Store.quoted) != etag {
                    throw failure(request, S3Fault(changed: response), state, credentials)
                }
                return S3Reply(response: response, document: document, attempts: state.attempts)
            case .failure(let found): fault = found
            }
            switch result {
            case .success(let response): if response.wasResent { state.isUncertain = true }
            case .failure(let error): resume(&request, error.etag)
            }
            if fault.cause.mayHaveBeenCarriedOut { state.isUncertain = true }
            // A body that came a bit further is progress, not another failure in a row.
            state.failures = (request.part?.count ?? 0) > held ? 1 : state.failures + 1
            let elapsed = clock.elapsed() - start
            guard let delay = delay(after: fault, of: request, credentials, &state, elapsed: elapsed) else {
                throw failure(request, fault, state, credentials)
            }
            log.debug("\(request.operation) \(request.key): attempt \(state.attempts) failed, trying again")
            do {
                try await clock.sleep(delay)
            } catch {
                guard request.shield == .all else {
                    let cancelled = S3Fault(cause: .transfer(.cancelled), kind: .cancelled, detail: "cancelled")
                    throw failure(request, cancelled, state, credentials)
                }
            }
        }
    }

    /// Goes on behind the bytes that a part holds only when they are known to be of the object that comes next.
    private func resume(_ request: inout S3Request, _ etag: String?) {
        guard let part = request.part, part.count > 0, request.etag == nil else { return }
        if let etag { request.etag = S3Store.quoted(etag) } else { part.reset() }
    }

    private struct RetryState {
        var attempts = 0
        var failures = 0
        var isUncertain = false
        var hasCorrectedClock = false
        var hasRenewedCredentials = false
        /// What the server has just called expired.
        var expired: (credentials: Credentials, fault: S3Fault)?
    }

    private func credentials(for request: S3Request, _ state: RetryState) async throws(S3Failure) -> Credentials {
        do {
            return try await configuration.credentials.credentials(replacing: state.expired?.credentials)
        } catch {
            throw S3Failure(error: error, mayHaveBeenCarriedOut: state.isUncertain)
        }
    }

    /// How long to wait before the next attempt; nil when there is to be none.
    private func delay(
        after fault: S3Fault, of request: S3Request, _ credentials: Credentials, _ state: inout RetryState,
        elapsed: Duration
    ) -> Duration? {
        switch fault.cause.advice {
        case .giveUp: return nil
        case .retry: break
        case .correctClock:
            guard !state.hasCorrectedClock, let serverTime = fault.serverTime else { return nil }
            state.hasCorrectedClock = true
            clockOffset.withLock { $0 = clock.now().duration(to: serverTime) }
        case .renewCredentials:
            guard !state.hasRenewedCredentials else { return nil }
            state.hasRenewedCredentials = true
            state.expired = (credentials, fault)
        }
        return (request.retry ?? configuration.retry).delay(
            afterFailures: state.failures, elapsed: elapsed, retryAfter: fault.retryAfter, random: clock.random())
    }

    private func failure(
        _ request: S3Request, _ fault: S3Fault, _ state: RetryState, _ credentials: Credentials
    ) -> S3Failure {
        var detail = fault.detail
        for secret in [credentials.secretKey.revealed, credentials.sessionToken?.revealed, credentials.accessKey] {
            guard let secret, !secret.isEmpty else { continue }
            detail = detail.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "********")
        }
        let error = StorageError(
            fault.kind, operation: request.operation, key: request.key, status: fault.status,
            serverCode: fault.serverCode, requestID: fault.requestID, attempts: state.attempts, detail: detail)
        return S3Failure(error: error, mayHaveBeenCarriedOut: state.isUncertain)
    }

    private func http(_ request: S3Request, _ credentials: Credentials, _ now: Timestamp) -> HTTPRequest {
        let isInPath = configuration.pathStyle
        var host = endpoint.authority
        var path = endpoint.path
        if isInPath { path += "/" + configuration.bucket } else { host = "\(configuration.bucket).\(host)" }
        if let object = request.object { path += "/" + object }
        if path.isEmpty { path = "/" }

        var headers = [("host", host), ("x-amz-content-sha256", request.payloadHash), ("x-amz-date", SigV4.stamp(now))]
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token.revealed)) }
        headers += configuration.additionalHeaders.map { ($0.name, $0.value) }
        headers += request.headers.map { ($0.name, $0.value) }
        let held = request.part?.count ?? 0
        if let range = request.range {
            headers.append(("range", "bytes=\(range.lowerBound + held)-\(range.upperBound - 1)"))
        }
        if let etag = request.etag {
            let isQuoted = configuration.compatibility.quotedIfMatch
            headers.append(("if-match", isQuoted ? etag : etag.filter { $0 != "\"" }))
        }
        let signed = headers.map { (name: $0.0, value: $0.1) }
        let canonical = CanonicalRequest(
            method: request.method, path: path, query: request.query, headers: signed,
            payloadHash: request.payloadHash)
        let authorization = SigV4.authorization(
            for: canonical, at: now, region: configuration.region, credentials: credentials)

        let query = CanonicalRequest.queryString(request.query)
        let url =
            (endpoint.isSecure ? "https://" : "http://") + host + PercentEncoding.path(path)
            + (query.isEmpty ? "" : "?" + query)
        let deadlines = configuration.deadlines
        let expected = request.body.byteCount + (request.part?.available ?? request.limit)
        var result = HTTPRequest(
            method: request.method, url: url, headers: signed + [(name: "Authorization", value: authorization)],
            body: request.body,
            deadline: deadlines.base + .seconds(expected / deadlines.slowestRate) + (request.stallLimit ?? .zero),
            stallLimit: request.stallLimit ?? deadlines.stall, connectLimit: deadlines.connect)
        if let part = request.part {
            result.destination = .part(part, offset: (request.range?.lowerBound ?? 0) + held)
        } else {
            result.destination = .bytes(limit: request.limit)
        }
        result.needsFreshConnection = request.needsFreshConnection
        return result
    }
}
