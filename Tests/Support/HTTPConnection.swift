import Bytes
import Glibc

/// One socket that speaks HTTP/1.1, blocking; used by one thread.
final class HTTPConnection {
    let descriptor: CInt
    private var buffered: [UInt8] = []

    /// Takes the socket; whoever made it closes it.
    init(_ descriptor: CInt) {
        self.descriptor = descriptor
        var yes: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Everything up to and with the next empty line; nil at the end of the connection.
    func readHead() -> [UInt8]? {
        var searched = 0
        while true {
            if let end = Self.endOfHead(buffered, from: searched) {
                let head = Array(buffered[..<end])
                buffered.removeFirst(end)
                return head
            }
            searched = max(0, buffered.count - 3)
            guard receive() else { return nil }
        }
    }

    /// Exactly `count` bytes; nil when the connection ends before.
    func readBytes(_ count: Int) -> [UInt8]? {
        while buffered.count < count {
            guard receive() else { return nil }
        }
        let bytes = Array(buffered[..<count])
        buffered.removeFirst(count)
        return bytes
    }

    /// All bytes to the end of the connection.
    func readToEnd() -> [UInt8] {
        while receive() {}
        defer { buffered = [] }
        return buffered
    }

    /// A chunked body with its framing and trailers, unaltered; nil when it is cut.
    func readChunked() -> [UInt8]? {
        var raw: [UInt8] = []
        while true {
            guard let line = readLine() else { return nil }
            raw += line
            let digits = line.prefix { $0 != 0x3B && $0 != 0x0D }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
            if size == 0 { break }
            guard let chunk = readBytes(size + 2) else { return nil }
            raw += chunk
        }
        while let line = readLine() {
            raw += line
            if line.count <= 2 { return raw }
        }
        return nil
    }

    /// The body that a head announces; nil when it is cut.
    ///
    /// `toEnd` says whether one without a length is a response's.
    func readBody(_ headers: [HTTPHeader], toEnd: Bool) -> [UInt8]? {
        if headers.first("Transfer-Encoding")?.lowercased().contains("chunked") ?? false { return readChunked() }
        if let length = headers.first("Content-Length") { return Int(length).flatMap(readBytes) }
        return toEnd ? readToEnd() : []
    }

    /// False when the other side has gone.
    @discardableResult
    func write(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = Array(bytes)
        var done = 0
        while done < bytes.count {
            let sent = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
                return send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            }
            if sent < 0 && errno == EINTR { continue }
            guard sent > 0 else { return false }
            done += sent
        }
        return true
    }

    /// Waits until the other side closes or `shutdown` is called on the socket.
    func waitForEnd() {
        repeat { buffered = [] } while receive()
    }

    /// Lets the coming `close` send a reset instead of an orderly end.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func readLine() -> [UInt8]? {
        while true {
            if let end = buffered.firstIndex(of: 0x0A) {
                let line = Array(buffered[...end])
                buffered.removeFirst(end + 1)
                return line
            }
            guard receive() else { return nil }
        }
    }

    private func receive() -> Bool {
        let count = 256 << 10
        let old = buffered.count
        let chunk = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var received = recv(descriptor, buffer.baseAddress, count, 0)
            while received < 0 && errno == EINTR { received = recv(descriptor, buffer.baseAddress, count, 0) }
            filled = max(0, received)
        }
        buffered += chunk
        return buffered.count > old
    }

    private static func endOfHead(_ bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= start + 4 else { return nil }
        for index in start...(bytes.count - 4)
        where bytes[index] == 0x0D && bytes[index + 1] == 0x0A && bytes[index + 2] == 0x0D && bytes[index + 3] == 0x0A {
            return index + 4
        }
        return nil
    }

    /// The first line's three words and the headers of a head.
    static func parse(_ head: [UInt8]) -> (words: [String], headers: [HTTPHeader])? {
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true)[...]
        guard let first = lines.popFirst() else { return nil }
        let words = first.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count >= 2 else { return nil }
        let headers = lines.compactMap { line -> HTTPHeader? in
            let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { return nil }
            let value = halves[1].drop { $0 == " " || $0 == "\t" }
            return HTTPHeader(String(halves[0]), String(value))
        }
        return (words, headers)
    }

    /// A connection to a port on this machine; -1 when nobody listens.
    static func connect(port: UInt16) -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(port)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
