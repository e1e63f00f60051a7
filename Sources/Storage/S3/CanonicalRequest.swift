/// A request in the form that AWS Signature Version 4 signs, with S3's rules: the path is encoded once and never
/// normalized.
///
/// Source: AWS, "Create a signed AWS API request", canonical request.
package struct CanonicalRequest: Equatable, Sendable {
    package let text: String
    /// Names, lower case, sorted, with semicolons between them.
    package let signedHeaders: String

    /// `path` and `query` are as meant, not encoded; `payloadHash` is SHA-256 in lower-case hex.
    package init(
        method: String, path: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], payloadHash: String
    ) {
        var values: [String: [String]] = [:]
        for (name, value) in headers { values[name.lowercased(), default: []].append(Self.trimmed(value)) }
        let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        signedHeaders = names.joined(separator: ";")
        let lines = names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }
        text = [
            method, path.isEmpty ? "/" : PercentEncoding.path(path), Self.queryString(query), lines.joined(),
            signedHeaders, payloadHash,
        ].joined(separator: "\n")
    }

    /// The query sorted and encoded; it is also what goes over the wire.
    static func queryString(_ query: [(name: String, value: String)]) -> String {
        query.map { (name: PercentEncoding.query($0.name), value: PercentEncoding.query($0.value)) }
            .sorted {
                $0.name == $1.name
                    ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                    : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// Without white space at the ends, and with single spaces within.
    private static func trimmed(_ value: String) -> String {
        value.utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
            .map { String(Substring($0)) }.joined(separator: " ")
    }
}
