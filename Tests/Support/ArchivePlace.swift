import Bytes
import Foundation

/// Where a scenario keeps its archive: the settings that lead there, and a place of its own.
package enum ArchivePlace: String, CaseIterable, Sendable {
    case directory
    case s3

    /// The places that can be had here.
    package static var available: [ArchivePlace] {
        TestEnvironment.value("WALS_TEST_S3_ENDPOINT") == nil ? [.directory] : allCases
    }

    /// Settings for an archive of its own; `folder` belongs to the server's user.
    package func settings(in folder: String) throws -> [String: String] {
        switch self {
        case .directory:
            let root = folder + "/archive"
            try FileSystem.makeDirectories(root)
            if geteuid() == 0 { try Program.check(["chown", "postgres:", root]) }
            return ["WALG_FILE_PREFIX": root]
        case .s3:
            func value(_ name: String) -> String { TestEnvironment.value(name) ?? "" }
            let prefix = "scenario-\(UInt64.random(in: 0 ... .max))"
            return [
                "WALG_S3_PREFIX": "s3://\(value("WALS_TEST_S3_BUCKET"))/\(prefix)",
                "AWS_ENDPOINT": value("WALS_TEST_S3_ENDPOINT"), "AWS_S3_FORCE_PATH_STYLE": "true",
                "AWS_ACCESS_KEY_ID": value("WALS_TEST_S3_ACCESS_KEY"),
                "AWS_SECRET_ACCESS_KEY": value("WALS_TEST_S3_SECRET_KEY"), "AWS_REGION": "us-east-1",
            ]
        }
    }

    /// Writes a `.walg.json` with the settings of the place and others, readable by the server's user; its path.
    package func configuration(in folder: String, adding others: [String: String] = [:]) throws -> String {
        let settings = try settings(in: folder).merging(others) { $1 }
        let path = folder + "/walg.json"
        let data = try JSONSerialization.data(
            withJSONObject: settings, options: [.sortedKeys, .withoutEscapingSlashes])
        try FileSystem.replace(path, with: Array(data))
        if geteuid() == 0 { try Program.check(["chown", "postgres:", path]) }
        return path
    }
}
