import Bytes

/// An object of a JSON document, read as Go reads into a structure, but with errors that name the member.
///
/// Names match in any case, unknown ones are ignored, `null` is the same as absent; a value of another type is an
/// error.
struct DocumentObject {
    /// The document, for messages.
    let object: String
    /// Names that lead here, with a closing dot; empty at the top.
    let path: String
    let value: JSONValue

    init(_ value: JSONValue, object: String, member: String = "") throws(RepositoryError) {
        guard value.object != nil else {
            throw RepositoryError(
                .damaged, object: object, member: member, detail: "an object expected, \(Self.named(value)) found")
        }
        self.object = object
        path = member.isEmpty ? "" : member + "."
        self.value = value
    }

    /// The document in `bytes`.
    init(parsing bytes: [UInt8], object: String) throws(RepositoryError) {
        let value: JSONValue
        do { value = try JSONValue.parse(bytes) } catch { throw RepositoryError(error, object: object) }
        try self.init(value, object: object)
    }

    func member(_ name: String) -> JSONValue? {
        guard let value = value.member(name, caseInsensitive: true), !value.isNull else { return nil }
        return value
    }

    func string(_ name: String) throws(RepositoryError) -> String? {
        guard let value = member(name) else { return nil }
        guard let text = value.string else { throw unexpected(name, value, "a string") }
        return text
    }

    func bool(_ name: String) throws(RepositoryError) -> Bool? {
        guard let value = member(name) else { return nil }
        guard let flag = value.bool else { throw unexpected(name, value, "true or false") }
        return flag
    }

    func integer<Number: FixedWidthInteger>(
        _ name: String, _ type: Number.Type = Number.self
    ) throws(RepositoryError) -> Number? {
        guard let value = member(name) else { return nil }
        guard let number = value.integer(type) else {
            throw unexpected(name, value, "an integer from \(Number.min) to \(Number.max)")
        }
        return number
    }

    func time(_ name: String) throws(RepositoryError) -> ZonedTimestamp? {
        guard let value = member(name) else { return nil }
        guard let text = value.string, let time = ZonedTimestamp(rfc3339: text) else {
            throw unexpected(name, value, "a time by RFC 3339")
        }
        return time
    }

    func array(_ name: String) throws(RepositoryError) -> [JSONValue]? {
        guard let value = member(name) else { return nil }
        guard let elements = value.array else { throw unexpected(name, value, "an array") }
        return elements
    }

    func nested(_ name: String) throws(RepositoryError) -> DocumentObject? {
        guard let value = member(name) else { return nil }
        return try DocumentObject(value, object: object, member: path + name)
    }

    func missing(_ name: String) -> RepositoryError { damaged(name, "is missing") }

    func damaged(_ name: String, _ detail: String) -> RepositoryError {
        RepositoryError(.damaged, object: object, member: path + name, detail: detail)
    }

    private func unexpected(_ name: String, _ value: JSONValue, _ expected: String) -> RepositoryError {
        damaged(name, "\(expected) expected, \(Self.named(value)) found")
    }

    static func named(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let text): String(text.prefix(40))
        case .string(let text): "'\(text.prefix(40))'"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
