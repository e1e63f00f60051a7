package import Bytes

extension Timestamp {
    /// The instant in UTC as RFC 850 has it, for example `Friday, 21-Aug-26 18:02:38 UTC`.
    package var rfc850: String {
        let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let civil = civil()
        let date = "\(twoDigits(civil.day))-\(months[civil.month - 1])-\(twoDigits(civil.year % 100))"
        let time = "\(twoDigits(civil.hour)):\(twoDigits(civil.minute)):\(twoDigits(civil.second))"
        return "\(days[civil.weekday]), \(date) \(time) UTC"
    }
}
