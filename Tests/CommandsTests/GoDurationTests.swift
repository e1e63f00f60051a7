import Testing

@testable import Commands

@Suite struct GoDurationTests {
    /// Source: the examples in Go's documentation of `time.ParseDuration`, and its grammar.
    @Test(arguments: [
        ("0", Duration.zero), ("5s", .seconds(5)), ("30s", .seconds(30)), ("1478s", .seconds(1478)),
        ("+5s", .seconds(5)), ("5.0s", .seconds(5)), ("5.6s", .milliseconds(5600)), ("5.s", .seconds(5)),
        (".5s", .milliseconds(500)), ("1.5h", .seconds(5400)), ("10ns", .nanoseconds(10)), ("11us", .microseconds(11)),
        ("12µs", .microseconds(12)), ("12μs", .microseconds(12)), ("13ms", .milliseconds(13)), ("14s", .seconds(14)),
        ("15m", .seconds(900)), ("16h", .seconds(57600)), ("3h30m", .seconds(12600)),
        ("1h2m3s4ms", .milliseconds(3_723_004)),
        ("720h", .seconds(2_592_000)), ("0.3333333333333333333h", .seconds(1200)),
    ])
    func `what Go reads is read`(text: String, duration: Duration) {
        #expect(GoDuration.parse(text) == duration)
    }

    @Test(arguments: [
        "", "3", "-", "s", ".", ".s", "-5s", "1m 5s", "5x", "1,5s", "ms5", "9223372036855s", "99999999999999999999h",
        "5 s",
    ])
    func `anything else is refused`(text: String) {
        #expect(GoDuration.parse(text) == nil)
    }

    @Test(arguments: ["0s", "1m", "1h30m", "50s", "500ms", "1h1s", "1ns"])
    func `a duration is shown as Go would read it`(text: String) throws {
        let duration = try #require(GoDuration.parse(text))
        #expect(GoDuration.text(duration) == text)
    }
}
