/// Whether two byte strings are equal. Within `#expect`, `==` on megabytes would print their difference for minutes.
package func same(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }
