package import Bytes
package import Storage
package struct ClusterClaim { package let systemIdentifier: UInt64
 package init(systemIdentifier: UInt64, claimedAt: Timestamp, hostname: String) { self.systemIdentifier = systemIdentifier }
 package init(parsing: [UInt8], object: ObjectKey) throws { systemIdentifier = 0 }
 package func encoded() -> [UInt8] { [] }
 package func changed(to: UInt64, at: Timestamp, hostname: String) -> ClusterClaim { self } }
package enum Layout { package static let claim: ObjectKey = "c"; package static let backups = "b"; package static func backupName(ofSentinel k: ObjectKey) -> String? { nil } }
package struct Sentinel { package let systemIdentifier: UInt64?;  package init(parsing: [UInt8], object: ObjectKey) throws { systemIdentifier = 0 } }
