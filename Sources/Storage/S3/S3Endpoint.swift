/// Where an S3 server is: scheme, host, port and, rarely, a path in front of the bucket.
package struct S3Endpoint: Equatable, Sendable, CustomStringConvertible {
    package let isSecure: Bool
    package let host: String
    /// Nil for the scheme's own.
    package let port: Int?
    /// Empty, or with a leading slash and no closing one.
    package let path: String

    package init(isSecure: Bool = true, host: String, port: Int? = nil, path: String = "") {
        self.isSecure = isSecure
        self.host = host
        self.port = port == (isSecure ? 443 : 80) ? nil : port
        self.path = path
    }

    /// Reads `https://host:port/path`; https when there is no scheme.
    package init(parsing text: String) throws(StorageError) {
        func refuse(_ reason: String) -> StorageError {
            StorageError(
                .invalidRequest, operation: "read endpoint",
                detail: "\"\(text)\" is not usable: \(reason); expected for example https://s3.example.com")
        }
        var rest = Substring(text)
        var isSecure = true
        if let separator = text.range(ofText: "://") {
            switch text[..<separator.lowerBound].lowercased() {
            case "https": break
            case "http": isSecure = false
            default: throw refuse("only http and https are spoken")
            }
            rest = text[separator.upperBound...]
        }
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path.removeLast() }
        guard !authority.contains("@") else {
            // The text is not repeated: what stands before the @ may be a password.
            throw StorageError(
                .invalidRequest, operation: "read endpoint",
                detail: "the endpoint names a user; the keys have settings of their own")
        }
        guard !rest.contains(where: { $0 == "?" || $0 == "#" || $0 == "%" || $0.isWhitespace }) else {
            throw refuse("it has a query, a fragment, a % or white space")
        }
        let hostEnd = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
        let afterHost = hostEnd.map { authority[authority.index(after: $0)...] } ?? authority
        let colon = afterHost.lastIndex(of: ":")
        let host = authority[..<(colon ?? authority.endIndex)]
        guard !host.isEmpty, hostEnd != nil || !host.contains(":"), !host.hasPrefix("[") || host.hasSuffix("]") else {
            throw refuse("the host is missing or an IPv6 address without brackets")
        }
        var port: Int?
        if let colon {
            port = Int(authority[authority.index(after: colon)...])
            guard let port, (1...65535).contains(port) else { throw refuse("the port is no number from 1 to 65535") }
        }
        self.init(isSecure: isSecure, host: String(host), port: port, path: String(path))
    }

    /// The host and, unless it is the scheme's own, the port: what the `Host` header says.
    package var authority: String { port.map { "\(host):\($0)" } ?? host }

    package var description: String { (isSecure ? "https://" : "http://") + authority + path }
}

extension String {
    /// Where `text` first occurs.
    fileprivate func range(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
