import Bytes
import TestSupport
import Testing

/// Files that PostgreSQL wrote, kept in `Fixtures`.
enum Golden {
    static func bytes(_ name: String) throws -> [UInt8] {
        try readFile(Path.join(SharedMaterial.packageRoot, "Tests/PostgresTests/Fixtures/\(name)"))
    }

    static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try FileDescriptor(opening: path, 0)
    let count = try file.status().byteCount
    var bytes = [UInt8](repeating: 0, count: count)
    let read = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    try #require(read == count)
    return bytes
}
