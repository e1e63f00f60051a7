import Foundation

/// Programs that did not come from here and know the formats.
enum Oracle {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Where a program is, or nil.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static func has(_ names: String...) -> Bool { names.allSatisfy { find($0) != nil } }

    /// Runs a program over `input` and returns what it wrote, through files so that nothing can block.
    static func run(
        _ command: [String], input: [UInt8] = [], in directory: String? = nil
    ) throws -> [UInt8] {
        guard let program = find(command[0]) else { throw Failure(description: "\(command[0]) is not installed") }
        let folder = try TemporaryFolder()
        try Data(input).write(to: URL(fileURLWithPath: folder.path + "/in"))
        for name in ["out", "err"] {
            _ = FileManager.default.createFile(atPath: folder.path + "/" + name, contents: nil)
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(command.dropFirst())
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.standardInput = FileHandle(forReadingAtPath: folder.path + "/in")
        process.standardOutput = FileHandle(forWritingAtPath: folder.path + "/out")
        process.standardError = FileHandle(forWritingAtPath: folder.path + "/err")
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = (try? String(contentsOfFile: folder.path + "/err", encoding: .utf8)) ?? ""
            throw Failure(description: "\(command): exit \(process.terminationStatus): \(text)")
        }
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/out")))
    }
}

/// A folder that is removed with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/streams-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
