import Bytes
import Glibc
import TestSupport
import Testing

@testable import Storage

/// Faults that need a process of their own: exit tests run their body in a child.
@Suite(.timeLimit(.minutes(1))) struct LocalStoreFaultTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(arguments: [PutOptions.replace, .create])
    func `a killed writer leaves no object, and its debris goes with the next write`(options: PutOptions) async throws {
        let store = LocalStore(root: directory.path, debrisGrace: .zero)
        if options == .replace { _ = try await store.put([1], at: "folder/object", .create) }
        let before = try await store.list(prefix: "")
        let path = directory.path
        let isCreation = options.mustNotExist
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, isCreation = isCreation as Bool] in
            let pool = PartPool(partSize: 4096, limit: 1)
            let options = PutOptions(mustNotExist: isCreation)
            _ = try await LocalStore(root: path).withUpload(to: "folder/object", options, pool: pool) { upload in
                let part = try await pool.take()
                part.append([UInt8](repeating: 7, count: 4096).span.bytes)
                try await upload.append(part)
                kill(getpid(), SIGKILL)
            }
        }
        #expect(try await store.list(prefix: "") == before)
        let debris = try directory.tree().filter { LocalPath.isTemporary($0) }
        #expect(debris.count == 1)
        #expect(try FileSystem.status(directory.file(debris.first ?? ""))?.byteCount == 4096)
        _ = try await store.put([2], at: "folder/object", .replace)
        #expect(try directory.tree() == ["folder/object"])
    }

    @Test func `a file that may not grow is out of space, and nothing is left of it`() async throws {
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            await expectNoSpace(LocalStore(root: path), path)
        }
        #expect(try directory.tree().filter { $0 != "old" } == [])
        #expect(try FileSystem.contents(directory.file("old")) == [1])
    }

    @Test(.enabled(if: TestEnvironment.isRoot, "only root may mount a small file system"))
    func `a full file system is out of space, and nothing is left of it`() async throws {
        let path = directory.path
        guard mount("tmpfs", path, "tmpfs", 0, "size=128k") == 0 else { try Test.cancel("mounting is not allowed") }
        defer { umount2(path, CInt(MNT_DETACH)) }
        await expectNoSpace(LocalStore(root: path), path)
        #expect(try directory.tree() == ["old"])
        #expect(try FileSystem.contents(directory.file("old")) == [1])
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), "") == 0 else { return }
        let store = LocalStore(root: path)
        #expect(await failureKind { _ = try await store.put([1], at: "new", .create) } == .permissionDenied)
        #expect(try await store.get("old", limit: 1).bytes == [1])
    }

    @Test func `without the right to write, everything is refused and the reason said`() async throws {
        _ = try await LocalStore(root: directory.path).put([1], at: "folder/object", .create)
        try FileSystem.setMode(directory.file("folder"), 0o555)
        try FileSystem.setMode(directory.file("folder/object"), 0o444)
        try FileSystem.setMode(directory.path, 0o555)
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            // Root passes all checks, so it becomes nobody.
            if geteuid() == 0 { #expect(setgid(65534) == 0 && setuid(65534) == 0) }
            let store = LocalStore(root: path)
            do {
                _ = try await store.put([2], at: "folder/new", .create)
                Issue.record("written without the right")
            } catch let error as StorageError {
                #expect(error.kind == .permissionDenied)
                #expect(error.detail.hasSuffix("Permission denied; the user who runs this needs the right to it"))
            }
            #expect(await failureKind { _ = try await store.put([2], at: "other/new", .create) } == .permissionDenied)
            #expect(try await store.delete(["folder/object"]).map(\.error.kind) == [.permissionDenied])
            #expect(try await store.get("folder/object", limit: 1).bytes == [1])
        }
        try FileSystem.setMode(directory.path, 0o700)
        #expect(try directory.tree() == ["folder/object"])
    }

    @Test func `a folder that may not be read is an error of the listing, not an empty folder`() async throws {
        _ = try await LocalStore(root: directory.path).put([1], at: "folder/object", .create)
        try FileSystem.setMode(directory.path, 0o755)
        try FileSystem.setMode(directory.file("folder"), 0)
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            if geteuid() == 0 { #expect(setgid(65534) == 0 && setuid(65534) == 0) }
            let store = LocalStore(root: path)
            #expect(await failureKind { _ = try await store.list(prefix: "folder/") } == .permissionDenied)
            #expect(await failureKind { _ = try await store.list(prefix: "") } == .permissionDenied)
            #expect(await failureKind { _ = try await store.info("folder/object") } == .permissionDenied)
            #expect(await failureKind { _ = try await store.get("folder/object", limit: 1) } == .permissionDenied)
        }
    }
}

/// Writes more than 128 KiB in every way, over an object and anew, and expects each to fail for want of space.
private func expectNoSpace(_ store: LocalStore, _ path: String) async {
    let large = [UInt8](repeating: 7, count: 300_000)
    let part = Part(capacity: large.count)
    part.append(large.span.bytes)
    let pool = PartPool(partSize: 65536, limit: 2)
    do {
        _ = try await store.put([1], at: "old", .create)
    } catch {
        Issue.record(error)
    }
    for key: ObjectKey in ["old", "folder/new"] {
        #expect(await failureKind { _ = try await store.put(large, at: key, .replace) } == .noSpace)
        #expect(await failureKind { _ = try await store.put([part], at: key, .replace) } == .noSpace)
        let upload = await failureKind {
            _ = try await store.withUpload(to: key, .replace, pool: pool) { upload in
                for _ in 0..<5 {
                    let part = try await pool.take()
                    part.append(large.span.bytes)
                    try await upload.append(part)
                }
            }
        }
        #expect(upload == .noSpace)
    }
    pool.expectAllBack()
    let listed = try? await store.list(prefix: "").objects.map(\.key)
    #expect(listed == ["old"])
}
