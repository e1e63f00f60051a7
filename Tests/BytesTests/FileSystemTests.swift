import Bytes
import Glibc
import TestSupport
import Testing

@Suite struct FileSystemTests {
    @Test func `a file is replaced in one step, leaving nothing beside it`() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("a")
        try FileSystem.replace(path, with: [1, 2, 3], mode: 0o640)
        try FileSystem.replace(path, with: [4], mode: 0o640)
        #expect(try FileSystem.contents(path) == [4])
        #expect(try FileSystem.status(path)?.mode == 0o640)
        #expect(try FileSystem.names(in: folder.path) == ["a"])
        let absent = folder.file("no/a")
        #expect(throws: SystemError.self) { try FileSystem.replace(absent, with: []) }
    }

    @Test func `contents longer than the limit are an error`() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write([UInt8](repeating: 1, count: 100), to: "a")
        #expect(try FileSystem.contents(path, limit: 100).count == 100)
        #expect(throws: SystemError(call: "read", path: path, code: EFBIG)) {
            try FileSystem.contents(path, limit: 99)
        }
        let absent = folder.file("b")
        #expect(throws: SystemError(call: "open", path: absent, code: ENOENT)) { try FileSystem.contents(absent) }
    }

    @Test func `names are sorted by their bytes`() throws {
        let folder = try TemporaryDirectory()
        for name in ["b", "B", "é", "a", ".x"] { try folder.write([], to: name) }
        #expect(try FileSystem.names(in: folder.path) == [".x", "B", "a", "b", "é"])
    }

    @Test func `directories are made with what is missing above, not over a file`() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("a/b/c")
        try FileSystem.makeDirectories(path)
        try FileSystem.makeDirectories(path)
        #expect(try FileSystem.status(path)?.kind == .directory)
        let file = try folder.write([], to: "file")
        #expect(throws: SystemError(call: "mkdir", path: file, code: ENOTDIR)) {
            try FileSystem.makeDirectories(file)
        }
    }

    @Test func `a link does not replace`() throws {
        let folder = try TemporaryDirectory()
        let first = try folder.write([1], to: "first")
        let second = folder.file("second")
        #expect(try FileSystem.link(first, to: second))
        #expect(try !FileSystem.link(first, to: second))
        #expect(try FileSystem.contents(second) == [1])
    }

    @Test func `a tree is removed without following links`() throws {
        let folder = try TemporaryDirectory()
        let kept = try folder.write([1], to: "kept")
        let tree = folder.file("tree")
        try FileSystem.makeDirectories(tree + "/a/b")
        try FileSystem.symbolicLink(to: folder.path, at: tree + "/a/link")
        #expect(try FileSystem.linkStatus(tree + "/a/link")?.kind == .symbolicLink)
        #expect(try FileSystem.linkTarget(tree + "/a/link") == folder.path)
        try FileSystem.removeTree(tree)
        try FileSystem.removeTree(tree)
        #expect(try FileSystem.status(tree) == nil)
        #expect(try FileSystem.contents(kept) == [1])
        #expect(try FileSystem.removeFile(kept))
        #expect(try !FileSystem.removeFile(kept))
    }

    @Test(arguments: [
        ("/a/b", "/a", "b"), ("/a/b/", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b", "a", "b"),
        ("/", "/", "/"),
    ])
    func `paths are taken apart`(path: String, parent: String, name: String) {
        #expect(Path.parent(path) == parent)
        #expect(Path.name(path) == name)
    }

    @Test func `paths are joined with one slash`() {
        #expect(Path.join("/a", "b") == "/a/b")
        #expect(Path.join("/a/", "b") == "/a/b")
        #expect(Path.join("", "b") == "b")
        #expect(Path.absolute("/x") == "/x")
        #expect(Path.absolute("x").hasSuffix("/x") && Path.isAbsolute(Path.absolute("x")))
    }

    @Test func `a descriptor writes and reads at offsets and keeps times to the nanosecond`() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("a")
        let file = try FileDescriptor(opening: path, O_RDWR | O_CREAT | O_EXCL)
        try file.write(([1, 2, 3] as [UInt8]).span.bytes)
        try file.write(([9] as [UInt8]).span.bytes, at: 1)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
        defer { buffer.deallocate() }
        #expect(try file.read(into: buffer, at: 1) == 2)
        #expect(Array(buffer.prefix(2)) == [9, 3])
        try file.truncate(to: 1)
        let time = Timestamp(seconds: 1_787_335_350, nanoseconds: 123_456_789)
        try file.setModified(time)
        let status = try file.status()
        #expect(status.byteCount == 1 && status.modified == time && status.kind == .regular)
        #expect(try file.tryLock())
        #expect(try !FileDescriptor(opening: path, O_RDWR).tryLock())
        #expect(throws: SystemError(call: "open", path: path, code: EEXIST)) {
            _ = try FileDescriptor(opening: path, O_RDWR | O_CREAT | O_EXCL)
        }
        try file.close()
    }
}
