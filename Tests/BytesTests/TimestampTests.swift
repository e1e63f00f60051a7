import Bytes
import Testing

@Suite struct TimestampTests {
    // Instants by GNU date: date -u -d TEXT +%s.
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("2026-08-21T18:02:35.123457Z", 1_787_335_355, 123_457_000),
            ("2000-02-29T23:59:59.5Z", 951_868_799, 500_000_000), ("1969-12-31T23:59:59.000000001Z", -1, 1),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
            ("2100-03-01T00:00:00Z", 4_107_542_400, 0),
        ] as [(String, Int64, Int32)])
    func `RFC 3339 in UTC is read and written`(text: String, seconds: Int64, nanoseconds: Int32) throws {
        let expected = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
        #expect(Timestamp(rfc3339: text) == expected)
        #expect(expected.rfc3339() == text)
        #expect("\(expected)" == text)
    }

    @Test(
        arguments: [
            ("2026-08-21T20:02:30.123456789+02:00", 1_787_335_350, 7200),
            ("2026-08-21T12:32:30.1-05:30", 1_787_335_350, -19800), ("2026-08-21T18:02:30Z", 1_787_335_350, 0),
        ] as [(String, Int64, Int)])
    func `the zone is kept`(text: String, seconds: Int64, offset: Int) throws {
        let time = try #require(ZonedTimestamp(rfc3339: text))
        #expect(time.instant.seconds == seconds)
        #expect(time.offset == offset)
        #expect(time.description == text)
    }

    @Test(arguments: [
        ("2026-08-21 18:02:30z", "2026-08-21T18:02:30Z"), ("2026-08-21t18:02:30+00:00", "2026-08-21T18:02:30Z"),
        ("2026-08-21T18:02:30.1234567899Z", "2026-08-21T18:02:30.123456789Z"),
        ("2026-08-21T18:02:30.100Z", "2026-08-21T18:02:30.1Z"),
    ])
    func `other ways to write a time are understood`(text: String, written: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339() == written)
    }

    @Test(arguments: [
        "", "2026-08-21", "2026-08-21T18:02:30", "2026-08-21T18:02Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00", "202-01-001T00:00:00Z", "2026/01/01T00:00:00Z", "2026-01-01X00:00:00Z",
        "+026-01-01T00:00:00Z",
    ])
    func `text that is no time is refused`(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func `every prefix of a time is refused`() {
        let text = "2026-08-21T20:02:30.123456789+02:00"
        for count in 0..<text.count { #expect(Timestamp(rfc3339: text.prefix(count)) == nil) }
    }

    @Test func `days and weekdays go on through four hundred years`() {
        // 1970-01-01 was a Thursday.
        var day = 4
        for number in Int64(0)..<146_097 {
            let time = Timestamp(seconds: number * 86400)
            #expect(time.civil().weekday == day)
            day = (day + 1) % 7
        }
        #expect(Timestamp(seconds: 146_097 * 86400).civil().dateAndTime == "2370-01-01T00:00:00")
        #expect(Timestamp(seconds: -86400).civil().weekday == 3)
    }

    @Test func `durations are added and taken`() {
        let time = Timestamp(seconds: 10, nanoseconds: 600_000_000)
        #expect(time.advanced(by: .milliseconds(500)) == Timestamp(seconds: 11, nanoseconds: 100_000_000))
        #expect(time.advanced(by: .milliseconds(-700)) == Timestamp(seconds: 9, nanoseconds: 900_000_000))
        #expect(time.advanced(by: .seconds(-20)) == Timestamp(seconds: -10, nanoseconds: 600_000_000))
        #expect(time.duration(to: time.advanced(by: .nanoseconds(-1))) == .nanoseconds(-1))
        #expect(time < time.advanced(by: .nanoseconds(1)))
    }

    @Test(arguments: [(0, 10, 0), (1, 10, 1000), (1000, 10, 1000), (999_999_001, 11, 0)] as [(Int32, Int64, Int32)])
    func `a time is rounded up to the microsecond`(nanoseconds: Int32, seconds: Int64, expected: Int32) {
        let rounded = Timestamp(seconds: 10, nanoseconds: nanoseconds).roundedUpToMicrosecond
        #expect(rounded == Timestamp(seconds: seconds, nanoseconds: expected))
    }
}
