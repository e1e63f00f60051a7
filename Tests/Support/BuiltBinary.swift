import Bytes
import Foundation

/// The program under test: the built `wal-s`, where every user may run it.
package enum BuiltBinary {
    /// `WALS_TEST_BINARY`, else the one this test run was built with.
    private static let source: String = {
        if let set = TestEnvironment.value("WALS_TEST_BINARY") { return set }
        return Path.join(Path.parent(CommandLine.arguments.first ?? ""), "wal-s")
    }()

    private static let shared: Result<(folder: TemporaryDirectory, path: String), any Error> = Result {
        // The server's user cannot always read the place it was built in.
        let folder = try TemporaryDirectory.untilExit("wal-s-binary")
        try FileSystem.setMode(folder.path, 0o755)
        let copy = folder.file("wal-s")
        try Program.check(["cp", source.hasPrefix("/") ? source : Path.absolute(source), copy])
        try FileSystem.setMode(copy, 0o755)
        return (folder, copy)
    }

    /// The path to run.
    ///
    /// - Throws: when there is no built program.
    package static func path() throws -> String { try shared.get().path }

    /// Whether it was built without optimization: measurements then mean little.
    package static var isDebugBuild: Bool { TestEnvironment.value("WALS_TEST_BINARY") == nil }
}
