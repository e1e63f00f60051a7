import Bytes
import Glibc

/// Names of users and groups by number, asked once each.
final class AccountNames: Sendable {
    private struct Known {
        var users: [UInt32: String] = [:]
        var groups: [UInt32: String] = [:]
    }

    // The C functions answer in static memory: under the lock alone.
    private let known = Locked(Known())

    /// The user's name; empty when the number has none.
    func user(_ number: UInt32) -> String {
        known.withLock { known in
            if let name = known.users[number] { return name }
            let name = Self.name(getpwuid(number)?.pointee.pw_name)
            known.users[number] = name
            return name
        }
    }

    func group(_ number: UInt32) -> String {
        known.withLock { known in
            if let name = known.groups[number] { return name }
            let name = Self.name(getgrgid(number)?.pointee.gr_name)
            known.groups[number] = name
            return name
        }
    }

    private static func name(_ text: UnsafeMutablePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }
}
