import Bytes
import Glibc

/// Makes the log that the settings describe.
struct LogFactory {
    let settings: Settings
    let edge: Edge

    func log(command: String) throws(ConfigurationError) -> Log {
        let level: Log.Level
        switch settings.text(.logLevel) {
        case "ERROR": level = .error
        case "DEVEL": level = .debug
        default: level = .info
        }
        let format = Log.Format(rawValue: settings.text(.logFormat) ?? "text") ?? .text
        return Log(level: level, format: format, command: command, sink: try sink())
    }

    private func sink() throws(ConfigurationError) -> @Sendable (String) -> Void {
        let edge = edge
        let standardError: @Sendable (String) -> Void = { edge.errorOutput($0 + "\n") }
        guard let path = settings.text(.logDestination), path != "stderr" else { return standardError }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError(
                .file, subject: "WALG_LOG_DESTINATION", detail: "\(SystemError(call: "open", path: path))")
        }
        let writer = TextWriter(descriptor: descriptor, name: path)
        return { line in
            do throws(SystemError) { try writer.write(line + "\n") } catch { standardError(line) }
        }
    }
}
