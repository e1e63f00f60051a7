/// The number of a timeline; 1 is the first, and 0 is none.
package struct TimelineID: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ value: UInt32) { rawValue = value }

    package init(integerLiteral value: UInt32) { rawValue = value }

    /// The number in decimal, as PostgreSQL prints it.
    package var description: String { String(rawValue) }

    package static func < (left: TimelineID, right: TimelineID) -> Bool { left.rawValue < right.rawValue }
}
