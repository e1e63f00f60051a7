import Bytes
import Glibc

/// Test material that lies beside a checkout, in `../shared`; a clone alone does not have it.
///
///     @Test(.enabled(if: SharedMaterial.has("vectors/sigv4"), "needs ../shared/vectors/sigv4"))
///     func `the published examples are signed alike`() throws {
///         let folder = try #require(SharedMaterial.path("vectors/sigv4"))
package enum SharedMaterial {
    /// The top of this checkout.
    package static let packageRoot: String = Path.parent(Path.parent(Path.parent(#filePath)))

    /// The path of a file or folder of the material; nil when it is not there.
    package static func path(_ name: String) -> String? {
        let path = Path.join(Path.join(Path.parent(packageRoot), "shared"), name)
        return (try? FileSystem.status(path)) ?? nil == nil ? nil : path
    }

    package static func has(_ name: String) -> Bool { path(name) != nil }
}

/// What the surroundings of a test run offer.
package enum TestEnvironment {
    /// An environment variable that is set and not empty.
    package static func value(_ name: String) -> String? {
        guard let text = getenv(name), text.pointee != 0 else { return nil }
        return String(cString: text)
    }

    /// Root passes permission checks, so tests of refused access are nothing for it.
    package static var isRoot: Bool { geteuid() == 0 }

    /// Whether a program is found in `PATH`.
    package static func hasProgram(_ name: String) -> Bool {
        (value("PATH") ?? "").split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
    }
}
