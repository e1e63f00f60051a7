package import Glibc

/// An instant with nanoseconds, counted from 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Whole seconds since the epoch, rounded down.
    package let seconds: Int64
    /// 0 ...
    ///
    /// 999,999,999.
    package let nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        precondition((0..<1_000_000_000).contains(nanoseconds))
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// The wall clock.
    ///
    /// Called at the edges only; the rooms take a time as a parameter.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    package func advanced(by duration: Duration) -> Timestamp {
        let (added, attoseconds) = duration.components
        var nanos = Int64(nanoseconds) + attoseconds / 1_000_000_000
        var total = seconds + added
        if nanos >= 1_000_000_000 {
            nanos -= 1_000_000_000
            total += 1
        } else if nanos < 0 {
            nanos += 1_000_000_000
            total -= 1
        }
        return Timestamp(seconds: total, nanoseconds: Int32(nanos))
    }

    package func duration(to other: Timestamp) -> Duration {
        .seconds(other.seconds - seconds) + .nanoseconds(Int64(other.nanoseconds - nanoseconds))
    }

    /// This instant, or the next whole microsecond: WAL-G's rule for start and finish times.
    package var roundedUpToMicrosecond: Timestamp {
        let rest = nanoseconds % 1000
        return rest == 0 ? self : advanced(by: .nanoseconds(Int64(1000 - rest)))
    }

    /// The calendar fields of the instant in a zone `offset` seconds east of UTC.
    package func civil(offset: Int = 0) -> CivilTime { CivilTime(secondsSinceEpoch: seconds + Int64(offset)) }

    /// RFC 3339 with up to nine fraction digits, trailing zeros trimmed; `Z` for UTC.
    package func rfc3339(offset: Int = 0) -> String {
        var text = civil(offset: offset).dateAndTime
        if nanoseconds != 0 {
            var digits = String(nanoseconds)
            digits = String(repeating: "0", count: 9 - digits.count) + digits
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        guard offset != 0 else { return text + "Z" }
        let minutes = abs(offset) / 60
        return text + (offset < 0 ? "-" : "+") + twoDigits(minutes / 60) + ":" + twoDigits(minutes % 60)
    }

    package var description: String { rfc3339() }

    /// Reads RFC 3339: any fraction (cut after nine digits), `Z` or a numeric offset, `T` or a space between.
    package init?(rfc3339 text: some StringProtocol) {
        guard let zoned = ZonedTimestamp(rfc3339: text) else { return nil }
        self = zoned.instant
    }

    /// Seconds east of UTC of this machine's zone at the instant.
    package var localOffset: Int {
        var time = time_t(seconds)
        var fields = tm()
        localtime_r(&time, &fields)
        return Int(fields.tm_gmtoff)
    }
}

/// Calendar fields of an instant, in the proleptic Gregorian calendar.
package struct CivilTime: Equatable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    /// 0 = Sunday.
    package let weekday: Int

    init(secondsSinceEpoch seconds: Int64) {
        let days = Int(seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400)
        let rest = Int(seconds - Int64(days) * 86400)
        // Howard Hinnant's civil_from_days: eras of 400 years that begin on 1 March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = ((days % 7) + 11) % 7
    }

    /// Days from 1970-01-01 to the given day.
    static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// Days of a month, 28 to 31.
    static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        default: 31
        }
    }

    /// `2026-08-21T18:02:35`.
    package var dateAndTime: String {
        let digits = String(year)
        let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return padded + "-" + twoDigits(month) + "-" + twoDigits(day) + "T" + twoDigits(hour) + ":"
            + twoDigits(minute) + ":" + twoDigits(second)
    }
}

/// `value` (0 ...
///
/// 99) with two digits.
package func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
