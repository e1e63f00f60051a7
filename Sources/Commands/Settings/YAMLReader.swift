import Bytes
import CYAML

/// Why bytes are not the YAML document they should be.
struct YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    let line: Int
    let detail: String

    var description: String { "line \(line): \(detail)" }
}

/// Reads one YAML document into the same values as JSON, by libyaml's events.
///
/// Plain words follow YAML's core schema, numbers keeping their text; quoted ones are text. Aliases and further
/// documents are refused: a configuration needs neither.
struct YAMLReader {
    private var parser = yaml_parser_t()
    private static let depthLimit = 32

    static func parse(_ bytes: [UInt8]) throws(YAMLError) -> JSONValue {
        var reader = YAMLReader()
        guard yaml_parser_initialize(&reader.parser) == 1 else {
            throw YAMLError(line: 1, detail: "out of memory")
        }
        defer { yaml_parser_delete(&reader.parser) }
        // libyaml keeps the address; the copy outlives the parser.
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        defer { copy.deallocate() }
        _ = copy.update(fromContentsOf: bytes)
        yaml_parser_set_input_string(&reader.parser, copy.baseAddress, bytes.count)
        return try reader.document()
    }

    private struct Event {
        let type: yaml_event_type_t
        let text: String
        let isPlain: Bool
        let line: Int
    }

    private mutating func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else {
            let problem = parser.problem.map { String(cString: $0) } ?? "not YAML"
            throw YAMLError(line: Int(parser.problem_mark.line) + 1, detail: problem)
        }
        defer { yaml_event_delete(&event) }
        var text = ""
        var isPlain = false
        if event.type == YAML_SCALAR_EVENT {
            let scalar = event.data.scalar
            text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
        }
        return Event(type: event.type, text: text, isPlain: isPlain, line: Int(event.start_mark.line) + 1)
    }

    private mutating func document() throws(YAMLError) -> JSONValue {
        var value = JSONValue.null
        var documents = 0
        while true {
            let event = try next()
            switch event.type {
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
            case YAML_STREAM_END_EVENT: return value
            case YAML_DOCUMENT_START_EVENT:
                documents += 1
                guard documents == 1 else { throw YAMLError(line: event.line, detail: "more than one document") }
                value = try node(try next(), depth: 0)
            default: throw YAMLError(line: event.line, detail: "unexpected content")
            }
        }
    }

    private mutating func node(_ event: Event, depth: Int) throws(YAMLError) -> JSONValue {
        guard depth < Self.depthLimit else { throw YAMLError(line: event.line, detail: "nested too deeply") }
        switch event.type {
        case YAML_SCALAR_EVENT: return event.isPlain ? Self.plain(event.text) : .string(event.text)
        case YAML_SEQUENCE_START_EVENT:
            var elements: [JSONValue] = []
            while true {
                let next = try next()
                if next.type == YAML_SEQUENCE_END_EVENT { return .array(elements) }
                elements.append(try node(next, depth: depth + 1))
            }
        case YAML_MAPPING_START_EVENT:
            var members: [JSONMember] = []
            while true {
                let key = try next()
                if key.type == YAML_MAPPING_END_EVENT { return .object(members) }
                guard key.type == YAML_SCALAR_EVENT else {
                    throw YAMLError(line: key.line, detail: "a key must be plain text")
                }
                members.append(JSONMember(key.text, try node(try next(), depth: depth + 1)))
            }
        case YAML_ALIAS_EVENT: throw YAMLError(line: event.line, detail: "aliases are not supported")
        default: throw YAMLError(line: event.line, detail: "unexpected content")
        }
    }

    private static func plain(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default:
            // Only what JSON calls a number; the text is what counts in the end.
            let isNumber = (try? JSONValue.parse(Array(text.utf8))).map { if case .number = $0 { true } else { false } }
            return isNumber == true ? .number(text) : .string(text)
        }
    }
}
