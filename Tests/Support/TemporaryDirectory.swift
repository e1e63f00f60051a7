import Bytes
import Glibc

/// A directory of its own below `TMPDIR` (else `/tmp`), removed with all that is in it when the last reference goes.
///
///     let directory = try TemporaryDirectory()
///     let store = LocalStore(root: directory.path)
///
/// Keep the value until the end of the test: `defer { withExtendedLifetime(directory) {} }` where nothing else does.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// Makes the directory, mode 0700.
    package init(_ label: String = "wal-s-test") throws(SystemError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/\(label).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", path: base) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        Self.openUp(path)
        try? FileSystem.removeTree(path)
    }

    /// A directory for what all tests of a run share, removed when the process ends: statics are never freed.
    package static func untilExit(_ label: String) throws(SystemError) -> TemporaryDirectory {
        let directory = try TemporaryDirectory(label)
        let isFirst = shared.withLock { shared in
            shared.append(directory.path)
            return shared.count == 1
        }
        if isFirst {
            atexit { for path in TemporaryDirectory.shared.withLock({ $0 }) { try? FileSystem.removeTree(path) } }
        }
        return directory
    }

    private static let shared = Locked<[String]>([])

    /// A path below the directory.
    package func file(_ name: String) -> String { Path.join(path, name) }

    /// Writes a file, making the directories above it, and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws(SystemError) -> String {
        let path = file(name)
        try FileSystem.makeDirectories(Path.parent(path))
        let file = try FileDescriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes.span.bytes)
        return path
    }

    /// Paths of all files below the directory, relative to it, sorted; directories only when they are empty, with a
    /// closing slash.
    package func tree(_ folder: String = "") throws(SystemError) -> [String] {
        var found: [String] = []
        for name in try FileSystem.names(in: file(folder)) {
            let inner = Path.join(folder, name)
            guard try FileSystem.linkStatus(file(inner))?.kind == .directory else {
                found.append(inner)
                continue
            }
            let below = try tree(inner)
            found += below.isEmpty ? [inner + "/"] : below
        }
        return found
    }

    /// Gives the owner all rights again, so that what a test has locked can be removed.
    private static func openUp(_ path: String) {
        guard (try? FileSystem.linkStatus(path))??.kind == .directory else { return }
        try? FileSystem.setMode(path, 0o700)
        for name in (try? FileSystem.names(in: path)) ?? [] { openUp(Path.join(path, name)) }
    }
}
