package import Bytes

/// Progress for people: bytes, rate and the time left.
///
/// On a terminal one line that is drawn again at most five times a second; else a line every ten seconds, the first
/// after ten.
package final class ProgressLine: ProgressReporting {
    package enum Style: Equatable, Sendable { case terminal, lines }

    private struct State {
        var began: Timestamp?
        var shown: Timestamp?
        var total: Int?
        var done = 0
        var drawnWidth = 0
    }

    private let title: String
    private let style: Style
    private let clock: @Sendable () -> Timestamp
    /// Takes text as it is, line ends included.
    private let write: @Sendable (String) -> Void
    private let state = Locked(State())

    package init(
        title: String, style: Style, clock: @escaping @Sendable () -> Timestamp = Timestamp.now,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.title = title
        self.style = style
        self.clock = clock
        self.write = write
    }

    package func started(total: Int?) {
        let now = clock()
        state.withLock { state in state = State(began: now, shown: now, total: total) }
    }

    package func advanced(by byteCount: Int) {
        let now = clock()
        let text: String? = state.withLock { state in
            state.done += byteCount
            let pause: Duration = style == .terminal ? .milliseconds(200) : .seconds(10)
            guard let shown = state.shown, shown.duration(to: now) >= pause else { return nil }
            state.shown = now
            return draw(&state, now)
        }
        if let text { write(text) }
    }

    package func finished() {
        let now = clock()
        let text: String? = state.withLock { state in
            guard state.began != nil else { return nil }
            let text = draw(&state, now)
            state.began = nil
            state.shown = nil
            return text
        }
        if let text { write(style == .terminal ? text + "\n" : text) }
    }

    private func draw(_ state: inout State, _ now: Timestamp) -> String {
        let seconds = state.began.map { Self.seconds($0.duration(to: now)) } ?? 0
        let rate = seconds > 0 ? Double(state.done) / seconds : 0
        var line = "\(title): \(ByteText.text(state.done))"
        if let total = state.total, total > 0 {
            line += " of \(ByteText.text(total)) (\(min(100, state.done / max(1, total / 100)))%)"
        }
        line += ", \(ByteText.text(Int(rate)))/s"
        if let total = state.total, total > state.done, rate >= 1 {
            line += ", \(Self.clockText(Int(Double(total - state.done) / rate))) left"
        }
        guard style == .terminal else { return line + "\n" }
        let padding = String(repeating: " ", count: max(0, state.drawnWidth - line.utf8.count))
        state.drawnWidth = line.utf8.count
        return "\r" + line + padding
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    private static func clockText(_ seconds: Int) -> String {
        let tail = "\(twoDigits(seconds / 60 % 60)):\(twoDigits(seconds % 60))"
        return seconds >= 3600 ? "\(seconds / 3600):\(tail)" : tail
    }
}

/// Counts of bytes for people.
package enum ByteText {
    /// With a unit of 1024 and one digit after the point: `1.5 MiB`.
    package static func text(_ byteCount: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
        var tenths = byteCount
        guard byteCount >= 1024 else { return "\(byteCount) B" }
        var unit = -1
        while tenths >= 1024 && unit < units.count - 1 {
            unit += 1
            if tenths < 1024 * 1024 || unit == units.count - 1 { break }
            tenths /= 1024
        }
        let scaled = tenths * 10 / 1024
        return "\(scaled / 10).\(scaled % 10) \(units[max(0, unit)])"
    }
}
