import Bytes
import Repository
import Storage
import Testing

@Suite struct BackupCatalogTests {
    private struct Backup {
        var name: String
        var start: Int64?
        var cluster: UInt64? = 7
        var userData: JSONValue?
        var hasMetadata = true
    }

    /// A store whose sentinels are written in the given order, a second apart.
    private func catalog(_ backups: [Backup]) async throws -> BackupCatalog {
        let seconds = Locked<Int64>(1000)
        let store = MemoryStore(clock: {
            seconds.withLock { seconds in
                seconds += 1
                return Timestamp(seconds: seconds)
            }
        })
        for backup in backups {
            var metadata = BackupMetadata()
            metadata.startTime = backup.start.map { Timestamp(seconds: $0) } ?? .unset
            metadata.systemIdentifier = backup.cluster
            metadata.userData = backup.userData
            var sentinel = Sentinel()
            sentinel.startTime = metadata.startTime
            sentinel.systemIdentifier = backup.cluster
            sentinel.userData = backup.userData
            if backup.hasMetadata {
                _ = try await store.put(metadata.encoded(), at: Layout.metadata(backup.name), .create)
            }
            _ = try await store.put([1], at: Layout.tar("part_001.tar", of: backup.name), .create)
            _ = try await store.put(sentinel.encoded(), at: Layout.sentinel(backup.name), .create)
        }
        _ = try await store.put([1], at: Layout.metadata("debris"), .create)
        _ = try await store.put([1], at: "basebackups_005/x.json", .create)
        return BackupCatalog(store)
    }

    @Test func `sentinels make the list, oldest first, and debris is not in it`() async throws {
        let catalog = try await catalog([Backup(name: "b", start: 1), Backup(name: "a", start: 2)])
        #expect(try await catalog.entries().map(\.name) == ["b", "a"])
        #expect(try await BackupCatalog(MemoryStore()).entries().isEmpty)
    }

    @Test(arguments: ["none", "", "a/b", "../a"])
    func `a backup that is not there is missed in WAL-G's words`(name: String) async throws {
        let catalog = try await catalog([Backup(name: "a", start: 1)])
        let expected = RepositoryError(.notFound, detail: "Backup '\(name)' does not exist.")
        await #expect(throws: expected) { try await catalog.entry(named: name) }
        #expect(expected.description == "Backup '\(name)' does not exist.")
        #expect(try await catalog.entry(named: "a").name == "a")
    }

    @Test func `documents of a backup that are not there are named`() async throws {
        let catalog = try await catalog([Backup(name: "a", start: 1, hasMetadata: false)])
        await #expect(throws: RepositoryError.noBackup(named: "b")) { try await catalog.sentinel("b") }
        await #expect(
            throws: RepositoryError(.notFound, object: "basebackups_005/a/metadata.json", detail: "is not there")
        ) { try await catalog.metadata("a") }
        #expect(try await catalog.metadataIfPresent("a") == nil)
        #expect(try await catalog.sentinel("a").startTime == Timestamp(seconds: 1))
    }

    @Test func `the latest is the newest start, and says when WAL-G would take another`() async throws {
        let catalog = try await catalog([
            Backup(name: "a", start: 10), Backup(name: "b", start: 30, hasMetadata: false),
            Backup(name: "c", start: 20),
        ])
        let latest = try await catalog.latest()
        #expect(latest.entry.name == "b")
        #expect(latest.rule == .startTime)
        #expect(latest.newestModified.name == "c")
        #expect(latest.isContested)
    }

    @Test func `the latest is of the cluster whose sentinel is the newest`() async throws {
        let catalog = try await catalog([
            Backup(name: "a", start: 99, cluster: 1), Backup(name: "b", start: 20, cluster: 2),
            Backup(name: "c", start: 10, cluster: 2),
        ])
        #expect(try await catalog.latest().entry.name == "b")
    }

    @Test(arguments: [nil, 5] as [Int64?])
    func `where a backup does not tell its start or cluster, WAL-G's rule decides`(start: Int64?) async throws {
        let catalog = try await catalog([
            Backup(name: "a", start: 30), Backup(name: "b", start: start, cluster: start == nil ? 7 : nil),
            Backup(name: "c", start: 20),
        ])
        let latest = try await catalog.latest()
        #expect(latest.rule == .modified)
        #expect(latest.entry.name == "c")
        #expect(!latest.isContested)
    }

    @Test func `without backups there is no latest`() async throws {
        await #expect(throws: RepositoryError(.notFound, detail: "No backups found")) {
            try await BackupCatalog(MemoryStore()).latest()
        }
    }

    @Test func `a backup is found by the meaning of its user data`() async throws {
        func data(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }
        let catalog = try await catalog([
            Backup(name: "a", start: 1, userData: try data(#"{"x":[1],"y":null}"#)),
            Backup(name: "b", start: 2, userData: try data("1"), hasMetadata: false),
            Backup(name: "c", start: 3, userData: try data("\"d\"")),
            Backup(name: "d", start: 3, userData: try data("\"d\"")),
            Backup(name: "e", start: 4),
        ])
        #expect(try await catalog.entry(userData: data(#"{"y":null,"x":[1.0]}"#)).name == "a")
        #expect(try await catalog.entry(userData: data("1")).name == "b")
        await #expect(throws: RepositoryError(.notFound, detail: "Requested backup was not found")) {
            try await catalog.entry(userData: data("2"))
        }
        await #expect(
            throws: RepositoryError(
                .ambiguous, detail: "2 backups have this user data; name one of them: c, d")
        ) { try await catalog.entry(userData: data("\"d\"")) }
    }
}
