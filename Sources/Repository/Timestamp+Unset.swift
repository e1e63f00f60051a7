package import Bytes

extension Timestamp {
    /// Go's zero time, 0001-01-01T00:00:00Z: what WAL-G has in mind, and writes, where no time was set.
    package static let unset = Timestamp(seconds: -62_135_596_800)
}
