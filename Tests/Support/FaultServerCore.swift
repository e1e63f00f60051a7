import Bytes
import Glibc

/// What the threads of a `FaultServer` share.
final class FaultServerCore: Sendable {
    private struct State {
        var isStopped = false
        var open: Set<CInt> = []
        var connections = 0
        var requests = 0
        var exchanges: [Int: FaultServer.Exchange] = [:]
        var rules: [(rule: FaultRule, seen: Int)] = []
    }

    let port: UInt16
    private let listener: CInt
    private let upstream: UInt16?
    private let early: (@Sendable (HTTPRequest) -> FaultReply?)?
    private let handler: (@Sendable (HTTPRequest) -> FaultReply)?
    private let state = Locked(State())
    private let recordedBodyLimit = 1 << 20

    init(
        upstream: UInt16?, early: (@Sendable (HTTPRequest) -> FaultReply?)?,
        handler: (@Sendable (HTTPRequest) -> FaultReply)?
    ) throws(SystemError) {
        self.upstream = upstream
        self.early = early
        self.handler = handler
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = HTTPConnection.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw SystemError(call: "bind", path: "127.0.0.1") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(listener) }

    var exchanges: [FaultServer.Exchange] {
        state.withLock { state in state.exchanges.sorted { $0.key < $1.key }.map(\.value) }
    }
    var requestCount: Int { state.withLock { $0.requests } }
    var connectionCount: Int { state.withLock { $0.connections } }

    func setRules(_ rules: [FaultRule]) {
        state.withLock { $0.rules = rules.map { ($0, 0) } }
    }

    func start() {
        PlainThread.detach { [self] in
            while true {
                var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, -1) >= 0 else { continue }
                // Swift's Glibc module does not offer accept4.
                let accepted = spawning.withLock { _ in
                    let accepted = accept(listener, nil, nil)
                    if accepted >= 0 { _ = fcntl(accepted, F_SETFD, FD_CLOEXEC) }
                    return accepted
                }
                if accepted < 0 {
                    if errno == EINTR || errno == ECONNABORTED || errno == EAGAIN { continue }
                    return
                }
                let number = register(accepted)
                guard let number else {
                    close(accepted)
                    return
                }
                PlainThread.detach { [self] in
                    serve(HTTPConnection(accepted), number)
                    release(accepted)
                }
            }
        }
    }

    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, CInt(SHUT_RDWR))
            for descriptor in state.open { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
    }

    private func register(_ descriptor: CInt, isClient: Bool = true) -> Int? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            state.open.insert(descriptor)
            if isClient { state.connections += 1 }
            return state.connections
        }
    }

    /// Closes under the lock, so that `stop` never shuts down a number that has come into other use.
    private func release(_ descriptor: CInt) {
        state.withLock { state in
            state.open.remove(descriptor)
            close(descriptor)
        }
    }

    /// Serves requests until one ends the connection.
    private func serve(_ client: HTTPConnection, _ connection: Int) {
        while let head = client.readHead(), let (words, headers) = HTTPConnection.parse(head) {
            let number = state.withLock { state in
                state.requests += 1
                return state.requests
            }
            var request = HTTPRequest(
                number: number, connection: connection, method: words[0], target: words[1], headers: headers,
                head: head, body: [])
            if let reply = early?(request) {
                _ = respond(reply, to: request, client)
                return
            }
            if headers.first("Expect")?.lowercased() == "100-continue" {
                client.write("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            }
            guard let body = client.readBody(headers, toEnd: false) else {
                record(request, sent: nil, upstream: nil)
                return
            }
            request.body = body
            let reply = decide(request)
            guard respond(reply, to: request, client) else { return }
        }
    }

    private func decide(_ request: HTTPRequest) -> FaultReply {
        if let handler { return handler(request) }
        return state.withLock { state in
            var decision: FaultReply?
            for index in state.rules.indices where state.rules[index].rule.matches(request) {
                state.rules[index].seen += 1
                let (rule, seen) = state.rules[index]
                if rule.occurrences.contains(seen), decision == nil { decision = rule.reply }
            }
            return decision ?? .forward
        }
    }

    /// Carries out a reply; false when the connection is to end.
    private func respond(_ reply: FaultReply, to request: HTTPRequest, _ client: HTTPConnection) -> Bool {
        var response: HTTPResponse?
        var upstreamStatus: Int?
        switch reply.source {
        case .nowhere: break
        case .answer(let answer): response = answer
        case .upstream:
            response = forward(request)
            upstreamStatus = response?.status
            if response == nil {
                response = HTTPResponse(502, body: Array("the fault server got no answer from its upstream".utf8))
            }
        }
        if let change = reply.change, let original = response { response = change(original) }
        let head = response?.head ?? []
        let body = request.method == "HEAD" ? [] : response?.body ?? []

        let sends =
            switch reply.delivery {
            case .headCut(let count, _): count > 0 && response != nil
            default: response != nil
            }
        // Recorded before it is sent: a client that has its answer finds the exchange in the record.
        record(request, sent: sends ? response?.status : nil, upstream: upstreamStatus)

        switch reply.delivery {
        case .whole:
            guard client.write(head), client.write(body) else { return false }
        case .dripped(let size):
            let wire = head + body
            for start in stride(from: 0, to: wire.count, by: size) {
                guard client.write(wire[start..<min(wire.count, start + size)]) else { return false }
            }
        case .headCut(let count, let ending):
            client.write(head.prefix(count))
            return end(client, ending)
        case .bodyCut(let count, let ending):
            client.write(head)
            client.write(body.prefix(count))
            return end(client, ending)
        }
        let connectionHeader = response?.headers.first("Connection") ?? request.header("Connection") ?? ""
        let isFramed =
            request.method == "HEAD" || response?.headers.first("Content-Length") != nil
            || response?.headers.first("Transfer-Encoding") != nil || response?.status == 204 || response?.status == 304
        return isFramed && connectionHeader.lowercased() != "close"
    }

    private func end(_ client: HTTPConnection, _ ending: FaultReply.Ending) -> Bool {
        switch ending {
        case .close: break
        case .reset: client.resetOnClose()
        case .hang: client.waitForEnd()
        }
        return false
    }

    /// Asks the real server over a connection of its own; nil when it gives no whole answer.
    private func forward(_ request: HTTPRequest) -> HTTPResponse? {
        guard let upstream else { return nil }
        let descriptor = HTTPConnection.connect(port: upstream)
        guard descriptor >= 0 else { return nil }
        guard register(descriptor, isClient: false) != nil else {
            close(descriptor)
            return nil
        }
        defer { release(descriptor) }
        let server = HTTPConnection(descriptor)
        // A server may answer and close before it has taken the whole body: the answer is read all the same.
        if server.write(request.head) { server.write(request.body) }
        while let head = server.readHead(), let (words, headers) = HTTPConnection.parse(head) {
            guard let status = Int(words[1]) else { return nil }
            if status < 200 { continue }
            let hasBody = request.method != "HEAD" && status != 204 && status != 304
            guard let body = hasBody ? server.readBody(headers, toEnd: true) : [] else { return nil }
            return HTTPResponse(status: status, headers: headers, body: body, head: head)
        }
        return nil
    }

    private func record(_ request: HTTPRequest, sent: Int?, upstream: Int?) {
        var kept = request
        if kept.body.count > recordedBodyLimit { kept.body = Array(kept.body[..<recordedBodyLimit]) }
        let exchange = FaultServer.Exchange(request: kept, sentStatus: sent, upstreamStatus: upstream)
        state.withLock { $0.exchanges[request.number] = exchange }
    }
}
