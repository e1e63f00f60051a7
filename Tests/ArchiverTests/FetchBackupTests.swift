import Bytes
import Glibc
import Repository
import Storage
import Streams
import TestSupport
import Testing

@testable import Archiver

@Suite struct FetchBackupTests {
    let folder: TemporaryDirectory
    let store = MemoryStore()

    init() throws { folder = try TemporaryDirectory() }

    private var destination: String { folder.file("data") }

    private func settings(_ change: (inout RestoreSettings) -> Void = { _ in }) -> RestoreSettings {
        var settings = RestoreSettings(destination: destination, selection: .latest)
        settings.syncs = false
        change(&settings)
        return settings
    }

    @discardableResult
    private func fetch(_ settings: RestoreSettings? = nil, log: Log = .silent) async throws -> RestoreOutcome {
        try await FetchBackup(
            settings ?? self.settings(), store: store, log: log, pause: { _ in }
        ).run()
    }

    private func failure(_ settings: RestoreSettings? = nil) async throws -> String {
        do {
            _ = try await fetch(settings)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: CompressionMethod.allCases, [true, false])
    func `every file comes back, whatever the codec`(_ method: CompressionMethod, isOurs: Bool) async throws {
        var backup = try SyntheticBackup()
        backup.method = method
        backup.isOurs = isOurs
        try await backup.write(to: store)
        let outcome = try await fetch()
        #expect(outcome.backup == backup.name)
        #expect(try SyntheticBackup.contents(of: folder, "data") == backup.contents)
        #expect(outcome.fileCount == backup.contents.count - 2)
    }

    @Test(arguments: [true, false])
    func `every file comes back, synced one by one or all at once`(_ syncsFileSystems: Bool) async throws {
        let backup = try SyntheticBackup()
        try await backup.write(to: store)
        try await fetch(
            settings {
                $0.syncs = true
                $0.syncsFileSystems = syncsFileSystems
            })
        #expect(try SyntheticBackup.contents(of: folder, "data") == backup.contents)
    }

    @Test func `a file system is synced as a whole only where that can be relied on`() throws {
        let file = try DirectoryHandle(opening: folder.path)
        let pseudo = try DirectoryHandle(opening: "/proc")
        func choose(_ syncs: Bool, _ syncsFileSystems: Bool, _ tops: [DirectoryHandle]) -> RestoreDurability {
            .choose(syncs: syncs, syncsFileSystems: syncsFileSystems, tops: tops)
        }
        #expect(choose(false, true, [file]) == .none)
        #expect(choose(true, false, [file]) == .eachFile)
        #expect(choose(true, true, [pseudo]) == .eachFile)
        #expect(choose(true, true, [file, pseudo]) == .eachFile)
        if file.canSyncFileSystem { #expect(choose(true, true, [file]) == .fileSystems) }
    }

    @Test func `modes and times are those of the backup`() async throws {
        var backup = try SyntheticBackup()
        let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)
        backup.control.entry.mode = 0o640
        backup.parts[1].append(SyntheticBackup.file("/pg_hba.conf", [1], mode: 0o640))
        backup.parts[1][backup.parts[1].count - 1].entry.modified = time
        try await backup.write(to: store)
        try await fetch()
        let file = try #require(try FileSystem.status(destination + "/pg_hba.conf"))
        #expect(file.mode == 0o640)
        #expect(file.modified == time)
        #expect(try FileSystem.status(destination)?.mode == 0o750)
        #expect(try FileSystem.status(destination + "/pg_notify")?.mode == 0o750)
        #expect(try FileSystem.status(destination + "/base/5")?.mode == 0o700)
        #expect(try FileSystem.status(destination + "/base/5")?.modified == SyntheticBackup.time)
        #expect(try FileSystem.status(destination + "/global/pg_control")?.modified == SyntheticBackup.time)
    }

    @Test func `the directories PostgreSQL wants are always there`() async throws {
        try await SyntheticBackup().write(to: store)
        try await fetch()
        for name in RestoreUtilityFiles.standardDirectories {
            #expect(try FileSystem.status(destination + "/" + name)?.kind == .directory, "\(name)")
        }
        #expect(try FileSystem.status(destination + "/" + RestoreDestination.marker) == nil)
    }

    @Test func `a directory with anything in it is refused and stays as it is`() async throws {
        try await SyntheticBackup().write(to: store)
        try folder.write([1, 2, 3], to: "data/precious")
        #expect(
            try await failure()
                == "\(destination) is not empty (precious): refused, nothing was touched. Restore into an empty directory"
        )
        #expect(try folder.tree() == ["data/precious"])
    }

    @Test func `a running server's directory is refused with its process`() async throws {
        try await SyntheticBackup().write(to: store)
        try folder.write(Array("\(getpid())\n\(destination)\n".utf8), to: "data/postmaster.pid")
        #expect(try await failure().contains("is the data directory of a running server (process \(getpid()))"))
        #expect(try folder.tree() == ["data/postmaster.pid"])
    }

    @Test func `a regular file is refused at once`() async throws {
        try folder.write([1], to: "data")
        #expect(
            try await failure() == "\(destination) is a file, not a directory: nothing can be restored into it")
    }

    @Test func `an empty directory and one that is missing are taken`() async throws {
        try await SyntheticBackup().write(to: store)
        try FileSystem.makeDirectory(destination)
        try await fetch()
        try await fetch(settings { $0.destination = folder.file("a/b/c") })
        #expect(try FileSystem.status(folder.file("a/b/c/global/pg_control")) != nil)
    }

    @Test func `two restores into one directory do not mix`() async throws {
        try await SyntheticBackup().write(to: store)
        let other = settings()
        let store = store
        _ = try? await FetchBackup(
            settings(), store: store, log: .silent,
            step: { step in
                guard step == .planned else { return }
                _ = try RestoreDestination.prepare(
                    other.destination, backup: "b", mode: 0o700, owner: nil, syncs: false, .silent)
            }
        ).run()
        #expect(try folder.tree("data") == ["data/" + RestoreDestination.marker])
    }

    @Test func `a mask brings what it matches, and what a data directory needs`() async throws {
        let backup = try SyntheticBackup()
        try await backup.write(to: store)
        try await fetch(settings { $0.mask = try? FileMask("/base/5/1259*") })
        let expected: Set<String> = [
            "base/5/1259", "base/5/1259_fsm", "global/pg_control", "backup_label", "tablespace_map",
        ]
        #expect(Set(try SyntheticBackup.contents(of: folder, "data").keys) == expected)
    }

    @Test func `a mask that matches nothing is refused before anything is written`() async throws {
        try await SyntheticBackup().write(to: store)
        let message = try await failure(settings { $0.mask = try? FileMask("/nothing/*") })
        #expect(message == "--mask '/nothing/*' matches no file of base_000000010000000000000003")
        #expect(try folder.tree() == [])
    }

    @Test func `a member that climbs out is refused`() async throws {
        var backup = try SyntheticBackup()
        backup.isOurs = false
        backup.parts[1].append(SyntheticBackup.file("/base/../../escaped", [1]))
        backup.parts[1][backup.parts[1].count - 1].isListed = false
        try await backup.write(to: store)
        #expect(try await failure().contains("the member name '/base/../../escaped' has a '..' component"))
        #expect(try FileSystem.status(folder.file("escaped")) == nil)
        #expect(try FileSystem.status(destination + "/global/pg_control") == nil)
    }

    @Test func `a link is never written through`() async throws {
        var backup = try SyntheticBackup()
        backup.isOurs = false
        try FileSystem.makeDirectory(folder.file("outside"))
        let link = TarEntry(
            path: "/base/5", kind: .symbolicLink, modified: SyntheticBackup.time, linkTarget: "../../outside")
        let inner = TarEntry(
            path: "/linked", kind: .symbolicLink, modified: SyntheticBackup.time, linkTarget: "base")
        backup.parts = [
            [
                SyntheticBackup.directory("/base"), SyntheticBackup.Member(entry: link, bytes: []),
                SyntheticBackup.Member(entry: inner, bytes: []), SyntheticBackup.file("/base/5/1", [1]),
                SyntheticBackup.file("/linked/2", [2]),
            ]
        ]
        try await backup.write(to: store)
        #expect(try await failure().contains("linked"))
        #expect(try FileSystem.names(in: folder.file("outside")) == [])
        #expect(try FileSystem.names(in: destination + "/base") == ["5"])
    }

    @Test func `links that lead nowhere are named, not made`() async throws {
        var backup = try SyntheticBackup()
        for (path, target) in [("/pg_hba.conf", "pg_hba.conf"), ("/x.conf", "/etc/x.conf"), ("/y.conf", "../y")] {
            let entry = TarEntry(
                path: path, kind: .symbolicLink, modified: SyntheticBackup.time, linkTarget: target)
            backup.parts[0].append(SyntheticBackup.Member(entry: entry, bytes: []))
        }
        try await backup.write(to: store)
        let outcome = try await fetch()
        #expect(outcome.skippedLinks.map(\.description) == ["/pg_hba.conf", "/x.conf", "/y.conf"])
        #expect(try SyntheticBackup.contents(of: folder, "data") == backup.contents)
    }

    @Test func `the manifest of a backup that has one comes too, verified`() async throws {
        var backup = try SyntheticBackup()
        backup.manifest = Array("{}\n".utf8)
        try await backup.write(to: store)
        try await fetch()
        #expect(try FileSystem.contents(destination + "/backup_manifest") == backup.manifest)
        let key = Layout.manifest(backup.name)
        for bytes in [Array("[]\n".utf8), []] {
            _ = try await store.put(bytes, at: key, .replace)
            #expect(try await failure(settings { $0.destination = folder.file("b\(bytes.count)") }).contains("\(key)"))
            #expect(try FileSystem.status(folder.file("b\(bytes.count)/global/pg_control")) == nil)
        }
        _ = try await store.delete([key])
        #expect(
            try await failure(settings { $0.destination = folder.file("c") })
                == "\(key) is missing: the backup was made with it")
    }

    @Test func `hard links are refused`() async throws {
        var backup = try SyntheticBackup()
        let entry = TarEntry(
            path: "/base/5/2", kind: .hardLink, modified: SyntheticBackup.time, linkTarget: "/etc/passwd")
        backup.parts[0].append(SyntheticBackup.Member(entry: entry, bytes: []))
        try await backup.write(to: store)
        #expect(try await failure().contains("/base/5/2 is neither a file nor a directory"))
    }

    @Test func `one file in two parts is refused`() async throws {
        var backup = try SyntheticBackup()
        backup.isOurs = false
        backup.parts[1].append(SyntheticBackup.file("/PG_VERSION", Array("99\n".utf8)))
        try await backup.write(to: store)
        #expect(try await failure().contains("/PG_VERSION is in two parts"))
    }

    @Test func `a left-over part of another run is not unpacked`() async throws {
        var backup = try SyntheticBackup()
        backup.isOurs = false
        try await backup.write(to: store)
        let stale = try backup.tar([SyntheticBackup.file("/base/5/1259", [9, 9, 9])])
        _ = try await store.put(stale, at: backup.key("part_007.tar"), .replace)
        try await fetch()
        #expect(try SyntheticBackup.contents(of: folder, "data") == backup.contents)
    }

    @Test func `what the store holds under a file's name and the list does not have is ignored`() async throws {
        var backup = try SyntheticBackup()
        var extra = SyntheticBackup.file("/base/5/9999", [1])
        extra.isListed = false
        backup.parts[0].append(extra)
        try await backup.write(to: store)
        try await fetch()
        #expect(try SyntheticBackup.contents(of: folder, "data") == backup.contents)
    }

    @Test func `an encrypted backup is refused with a word about encryption`() async throws {
        let bucket = try SharedMaterial.path("fixtures/walg/enc-sodium-hex").map { _ in
            try FixtureBucket("enc-sodium-hex")
        }
        guard let bucket else { return }
        let settings = settings { $0.selection = .name("base_00000001000000000000000A") }
        do {
            _ = try await FetchBackup(settings, store: LocalStore(root: bucket.path), log: .silent).run()
            Issue.record("an encrypted backup was restored")
        } catch let error as ArchiverError {
            #expect(error.kind == .corrupted)
            #expect(error.message.contains("the backup may be encrypted"))
        }
        #expect(try folder.tree() == [])
    }

    @Test func `a store that does not answer is asked again, and the part is whole`() async throws {
        let backup = try SyntheticBackup()
        try await backup.write(to: store)
        let failing = FailingStore(store, failures: 3)
        let pauses = Locked<[Duration]>([])
        _ = try await FetchBackup(
            settings { $0.concurrency = 1 }, store: failing, log: .silent,
            pause: { wait in pauses.withLock { $0.append(wait) } }
        ).run()
        #expect(pauses.withLock { $0 } == [.seconds(1), .seconds(2), .seconds(4)])
        #expect(try SyntheticBackup.contents(of: folder, "data") == backup.contents)
    }

    @Test func `a store that never answers ends the restore when the budget is spent`() async throws {
        try await SyntheticBackup().write(to: store)
        let failing = FailingStore(store, failures: .max)
        await #expect(throws: StorageError.self) {
            _ = try await FetchBackup(
                settings { $0.retries = 2 }, store: failing, log: .silent, pause: { _ in }
            ).run()
        }
        #expect(try FileSystem.status(destination + "/global/pg_control") == nil)
        #expect(try FileSystem.status(destination + "/" + RestoreDestination.marker) != nil)
    }
}
