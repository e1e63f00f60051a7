import Bytes
import CCurl
import Glibc

/// One request on its way through the curl loop.
///
/// Rule that makes it Sendable: `continuation` is set before the transfer is submitted, `isCancelled` is touched under
/// the loop's lock alone, and everything else by the loop's thread alone.
final class Transfer: @unchecked Sendable {
    typealias Outcome = Result<HTTPResponse, TransferError>

    let request: HTTPRequest
    var continuation: CheckedContinuation<Outcome, Never>?
    var isCancelled = false

    private let pieces: Int
    private var piece = 0
    private var offset = 0
    private var hasRead = false
    private var wasResent = false
    private var status = 0
    private var headers: [(name: String, value: String)] = []
    private var body: [UInt8] = []
    private var takesBody = false
    private var isTooLong = false
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let reason: UnsafeMutablePointer<CChar>

    private static let errorBodyLimit = 64 << 10

    init(_ request: HTTPRequest) {
        self.request = request
        switch request.body {
        case .none: pieces = 0
        case .bytes: pieces = 1
        case .parts(let parts): pieces = parts.count
        }
        reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
        reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_slist_free_all(headerList)
        reason.deallocate()
    }

    func finish(_ outcome: Outcome) {
        let waiting = continuation
        continuation = nil
        waiting?.resume(returning: outcome)
    }

    // Sets everything of the request on a reset handle.
    func prepare(_ handle: UnsafeMutableRawPointer, certificates: String?) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = ccurl_setopt_string(handle, CURLOPT_URL, request.url)
        _ = ccurl_setopt_long(handle, CURLOPT_PATH_AS_IS, 1)
        _ = ccurl_setopt_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = ccurl_setopt_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = ccurl_setopt_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = ccurl_setopt_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        _ = ccurl_setopt_long(handle, CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
        _ = ccurl_setopt_long(handle, CURLOPT_BUFFERSIZE, 512 << 10)
        _ = ccurl_setopt_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        _ = ccurl_setopt_long(handle, CURLOPT_CONNECTTIMEOUT_MS, request.connectLimit.milliseconds)
        _ = ccurl_setopt_long(handle, CURLOPT_TIMEOUT_MS, request.deadline.milliseconds)
        _ = ccurl_setopt_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1024)
        _ = ccurl_setopt_long(handle, CURLOPT_LOW_SPEED_TIME, max(1, request.stallLimit.milliseconds / 1000))
        _ = ccurl_setopt_long(handle, CURLOPT_FRESH_CONNECT, request.needsFreshConnection ? 1 : 0)
        if let certificates { _ = ccurl_setopt_string(handle, CURLOPT_CAINFO, certificates) }
        prepareMethod(handle, context)
        prepareHeaders(handle)
        _ = ccurl_setopt_ptr(handle, CURLOPT_ERRORBUFFER, reason)
        _ = ccurl_setopt_ptr(handle, CURLOPT_HEADERDATA, context)
        _ = ccurl_setopt_data_fn(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let transfer = Transfer.of(context), let bytes else { return 0 }
            transfer.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        _ = ccurl_setopt_ptr(handle, CURLOPT_WRITEDATA, context)
        _ = ccurl_setopt_data_fn(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let transfer = Transfer.of(context), let bytes else { return 0 }
            return transfer.takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
        }
    }

    private func prepareMethod(_ handle: UnsafeMutableRawPointer, _ context: UnsafeMutableRawPointer) {
        switch request.method {
        case "GET": _ = ccurl_setopt_long(handle, CURLOPT_HTTPGET, 1)
        case "HEAD": _ = ccurl_setopt_long(handle, CURLOPT_NOBODY, 1)
        case "PUT", "POST":
            _ = ccurl_setopt_long(handle, CURLOPT_UPLOAD, 1)
            _ = ccurl_setopt_off(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.byteCount))
            _ = ccurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        default: _ = ccurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        }
        _ = ccurl_setopt_ptr(handle, CURLOPT_READDATA, context)
        _ = ccurl_setopt_data_fn(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let transfer = Transfer.of(context), let bytes else { return 0 }
            return transfer.giveBody(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        _ = ccurl_setopt_ptr(handle, CURLOPT_SEEKDATA, context)
        _ = ccurl_setopt_seek_fn(handle, CURLOPT_SEEKFUNCTION) { context, position, origin in
            guard let transfer = Transfer.of(context), position == 0, origin == SEEK_SET else { return 1 }
            transfer.rewind()
            return 0
        }
    }

    private func prepareHeaders(_ handle: UnsafeMutableRawPointer) {
        // Empty: without it, libcurl waits up to a second for "100 Continue" before a large body.
        headerList = curl_slist_append(headerList, "Expect:")
        for (name, value) in request.headers {
            // A header without a value is written with a semicolon, or libcurl leaves it out.
            headerList = curl_slist_append(headerList, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        _ = ccurl_setopt_ptr(handle, CURLOPT_HTTPHEADER, headerList)
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func rewind() {
        // Only a second start says that the bytes went out before.
        if hasRead { wasResent = true }
        piece = 0
        offset = 0
    }

    private func giveBody(_ target: UnsafeMutableRawBufferPointer) -> Int {
        hasRead = true
        var given = 0
        while given < target.count, piece < pieces {
            let room = UnsafeMutableRawBufferPointer(rebasing: target[given...])
            let (copied, isOver) = copyPiece(into: room)
            given += copied
            offset += copied
            if isOver {
                piece += 1
                offset = 0
            }
        }
        return given
    }

    private func copyPiece(into room: UnsafeMutableRawBufferPointer) -> (Int, Bool) {
        func copy(_ source: UnsafeRawBufferPointer) -> (Int, Bool) {
            let count = min(room.count, source.count - offset)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + count]))
            return (count, offset + count == source.count)
        }
        return switch request.body {
        case .none: (0, true)
        case .bytes(let bytes): bytes.withUnsafeBytes(copy)
        case .parts(let parts): parts[piece].withUnsafeBytes(copy)
        }
    }

    private func takeHeader(_ bytes: UnsafeRawBufferPointer) {
        var line = Substring(String(decoding: bytes, as: UTF8.self))
        while let last = line.unicodeScalars.last, last == "\r" || last == "\n" { line.unicodeScalars.removeLast() }
        if line.hasPrefix("HTTP/") {
            // A further status line follows a "100 Continue".
            let words = line.split(separator: " ", maxSplits: 2)
            status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            headers = []
            body = []
            return
        }
        guard let colon = line.firstIndex(of: ":") else {
            if line.isEmpty { decideOnBody() }
            return
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        headers.append((line[..<colon].lowercased(), String(value)))
    }

    private func decideOnBody() {
        switch request.destination {
        case .bytes: takesBody = (200..<300).contains(status)
        case .part(_, let offset):
            let range = headers.first { $0.name == "content-range" }?.value
            takesBody =
                status == 200 && offset == 0 || status == 206 && range?.hasPrefix("bytes \(offset)-") ?? false
        }
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard takesBody else {
            let room = Self.errorBodyLimit - body.count
            body.append(contentsOf: bytes.prefix(max(0, room)))
            return true
        }
        switch request.destination {
        case .bytes(let limit):
            guard body.count + bytes.count <= limit else {
                isTooLong = true
                return false
            }
            body.append(contentsOf: bytes)
        case .part(let part, _):
            guard bytes.count <= part.available else {
                isTooLong = true
                return false
            }
            part.append(bytes.bytes)
        }
        return true
    }

    // What libcurl's verdict means, once the handle is off the loop.
    func outcome(_ code: CURLcode) -> Outcome {
        if code == CURLE_OK {
            return .success(HTTPResponse(status: status, headers: headers, body: body, wasResent: wasResent))
        }
        let kind: TransferError.Kind =
            switch code {
            case _ where isTooLong: .tooLong
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
            case CURLE_COULDNT_CONNECT: .refused
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_PARTIAL_FILE: .truncated
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM: .untrusted
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT: .malformed
            default: .reset
            }
        let said = String(cString: reason)
        let etag = headers.first { $0.name == "etag" }?.value
        return .failure(
            TransferError(kind, said.isEmpty ? String(cString: curl_easy_strerror(code)) : said, etag: etag))
    }
}

extension Duration {
    /// Whole milliseconds, at least one.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
