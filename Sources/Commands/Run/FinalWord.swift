import Bytes
import Glibc

/// What the process says of a failure before it ends: one line, and in Kubernetes the termination log.
struct FinalWord {
    let edge: Edge
    let log: Log
    let codes: ExitCodes

    func end(_ message: String, _ failure: Failure) -> Ending {
        let code = codes.code(failure)
        let line = Self.oneLine(message)
        switch (failure, log.format) {
        // PostgreSQL asks for files that are not there all the time; that is no error.
        case (.absent, .text): log.info(line)
        case (_, .text): log.error(line)
        case (_, .json): edge.errorOutput(json(line, code) + "\n")
        }
        if failure != .absent { writeTerminationLog(line) }
        if let code { return .code(code) }
        if case .interrupted(let signal) = failure { return .signal(signal) }
        return .code(1)
    }

    private static func oneLine(_ message: String) -> String {
        message.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }

    private func json(_ line: String, _ code: Int32?) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, text) in [
            ("message_type", "exit_error"), ("time", Timestamp.now().rfc3339()), ("level", "ERROR"),
            ("command", log.command), ("message", line),
        ] {
            writer.name(name)
            writer.string(text)
        }
        writer.name("code")
        if let code { writer.number(code) } else { writer.null() }
        writer.endObject()
        return String(decoding: writer.takeBytes(), as: UTF8.self)
    }

    /// Shows the reason in `kubectl describe`; nothing when there is no such file, or it cannot be written.
    private func writeTerminationLog(_ line: String) {
        guard edge.environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false else { return }
        do throws(SystemError) {
            let file = try FileDescriptor(opening: edge.terminationLog, O_WRONLY | O_TRUNC)
            // Kubernetes keeps 4096 bytes.
            try file.write(Array((line + "\n").utf8.prefix(4096)).span.bytes)
        } catch {
            log.debug("termination log: \(error)")
        }
    }
}
