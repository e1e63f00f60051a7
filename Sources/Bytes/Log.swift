import Glibc

/// Where messages to the operator go: a value passed down, never a global.
///
/// Results of commands do not pass here.
///
/// Text lines are WAL-G's: `INFO: 2026/08/21 18:02:35.123456 message`. JSON lines carry `time`, `level`, `command`,
/// `message` and the fields of the call.
package struct Log: Sendable {
    package enum Level: Int, Comparable, Sendable {
        case debug, info, warning, error

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        var name: String {
            switch self {
            case .debug: "DEBUG"
            case .info: "INFO"
            case .warning: "WARNING"
            case .error: "ERROR"
            }
        }
    }

    package enum Format: String, Sendable { case text, json }

    package let level: Level
    package let format: Format
    /// The command that runs, for JSON lines.
    package let command: String
    private let sink: @Sendable (String) -> Void

    package init(
        level: Level = .info, format: Format = .text, command: String = "",
        sink: @escaping @Sendable (String) -> Void = Log.standardError
    ) {
        self.level = level
        self.format = format
        self.command = command
        self.sink = sink
    }

    /// Drops everything; for tests and for callers that need no messages.
    package static let silent = Log(level: .error, sink: { _ in })

    /// One `write` a line, so that lines of concurrent processes do not mix.
    package static let standardError: @Sendable (String) -> Void = { line in
        var bytes = Array(line.utf8)
        bytes.append(0x0A)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    package func debug(_ message: @autoclosure () -> String, _ fields: [(String, String)] = []) {
        record(.debug, message, fields)
    }

    package func info(_ message: @autoclosure () -> String, _ fields: [(String, String)] = []) {
        record(.info, message, fields)
    }

    package func warning(_ message: @autoclosure () -> String, _ fields: [(String, String)] = []) {
        record(.warning, message, fields)
    }

    package func error(_ message: @autoclosure () -> String, _ fields: [(String, String)] = []) {
        record(.error, message, fields)
    }

    private func record(_ level: Level, _ message: () -> String, _ fields: [(String, String)]) {
        guard level >= self.level else { return }
        let now = Timestamp.now()
        switch format {
        case .text:
            let civil = now.civil(offset: now.localOffset)
            let micros = String(now.nanoseconds / 1000)
            let date = "\(civil.year)/\(twoDigits(civil.month))/\(twoDigits(civil.day))"
            let time = "\(twoDigits(civil.hour)):\(twoDigits(civil.minute)):\(twoDigits(civil.second))"
            let fraction = String(repeating: "0", count: 6 - micros.count) + micros
            sink("\(level.name): \(date) \(time).\(fraction) \(message())")
        case .json:
            var pairs = [("time", now.rfc3339()), ("level", level.name)]
            if !command.isEmpty { pairs.append(("command", command)) }
            pairs.append(("message", message()))
            pairs += fields
            sink("{" + pairs.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }.joined(separator: ",") + "}")
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20: result += "\\u00" + Hex.digits(scalar.value, width: 2)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
