/// Whether two byte strings are equal.
///
/// Call it outside `#expect`, which prints the difference of megabytes for minutes.
package func same(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }
