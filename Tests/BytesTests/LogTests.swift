import Bytes
import Testing

@Suite struct LogTests {
    private func lines(_ level: Log.Level, _ format: Log.Format, _ body: (Log) -> Void) -> [String] {
        let lines = Locked<[String]>([])
        body(
            Log(level: level, format: format, command: "wal-push", sink: { line in lines.withLock { $0.append(line) } })
        )
        return lines.withLock { $0 }
    }

    @Test func `text lines are WAL-G's`() throws {
        let line = try #require(lines(.info, .text) { $0.info("hello there", [("field", "not shown")]) }.first)
        let words = line.split(separator: " ")
        #expect(words.count == 5)
        #expect(words[0] == "INFO:")
        #expect(words[1].count == 10 && words[1].count { $0 == "/" } == 2)
        #expect(words[2].count == 15 && words[2].count { $0 == ":" } == 2)
        #expect(line.hasSuffix(" hello there"))
    }

    @Test func `levels below the log's are dropped, unread`() {
        let read = Locked(0)
        func message() -> String {
            read.withLock { $0 += 1 }
            return "m"
        }
        let lines = lines(.warning, .text) { log in
            log.debug(message())
            log.info(message())
            log.warning(message())
            log.error(message())
        }
        #expect(lines.map { $0.prefix { $0 != ":" } } == ["WARNING", "ERROR"])
        #expect(read.withLock { $0 } == 2)
    }

    @Test func `a JSON line is an object with the fields of the call, whatever is in them`() throws {
        let text = "a\"b\\c\nd\u{1}é\u{2028}"
        let line = try #require(lines(.debug, .json) { $0.debug(text, [("object", text)]) }.first)
        let value = try JSONValue.parse(Array(line.utf8))
        #expect(value.object?.map(\.name) == ["time", "level", "command", "message", "object"])
        #expect(value.member("level")?.string == "DEBUG")
        #expect(value.member("command")?.string == "wal-push")
        #expect(value.member("message")?.string == text)
        #expect(value.member("object")?.string == text)
        #expect(Timestamp(rfc3339: try #require(value.member("time")?.string)) != nil)
        #expect(!line.contains("\n"))
    }
}
