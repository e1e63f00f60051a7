import Bytes
import Repository
import Storage
import TestSupport
import Testing

@testable import Archiver

@Suite struct BackupLeaseTests {
    private static let name = "base_000000010000000000000007"

    private static func holder(
        _ hostname: String = "here", process: Int? = nil, boot: String? = nil
    ) -> BackupLease.Holder {
        var holder = BackupLease.Holder.current(hostname: hostname)
        if let process {
            holder.processID = process
            holder.started = "1"
        }
        if let boot { holder.boot = boot }
        return holder
    }

    @Test func `one run gets a name, the next does not`() async throws {
        let store = MemoryStore()
        let lease = try #require(try await BackupLease.claim(Self.name, holder: Self.holder(), store: store))
        #expect(try await BackupLease.claim(Self.name, holder: Self.holder(), store: store) == nil)
        try await lease.renew()
        try await lease.release()
        await #expect(throws: ArchiverError.self) { try await lease.confirm() }
        #expect(try await BackupLease.claim(Self.name, holder: Self.holder(), store: store) != nil)
    }

    @Test(arguments: ["basebackups_005/\(name)_backup_stop_sentinel.json", "basebackups_005/\(name)/metadata.json"])
    func `a name under which anything is stored is taken`(_ key: String) async throws {
        let store = MemoryStore()
        _ = try await store.put([1], at: ObjectKey(key), .create)
        #expect(try await BackupLease.claim(Self.name, holder: Self.holder(), store: store) == nil)
        #expect(try await store.list(prefix: "").objects.count == 1)
    }

    @Test func `a mark is read as it was written, and nothing else is`() {
        let holder = Self.holder("a \"host\"")
        let bytes = holder.encoded()
        #expect(BackupLease.Holder(parsing: bytes) == holder)
        for count in 0..<bytes.count { #expect(BackupLease.Holder(parsing: Array(bytes.prefix(count))) == nil) }
    }

    @Test func `a process is gone when its number is free or another's, or the machine was started again`() {
        let us = Self.holder()
        func isGone(_ holder: BackupLease.Holder, after age: Duration = .zero) -> Bool {
            holder.isGone(seenFrom: us, age: age)
        }
        #expect(!isGone(Self.holder()))
        #expect(isGone(Self.holder(process: Int(Int32.max))))
        #expect(isGone(Self.holder(process: us.processID)))
        #expect(isGone(Self.holder(boot: "earlier"), after: BackupLease.silence + .seconds(1)))
        #expect(!isGone(Self.holder("there", process: Int(Int32.max))))
        #expect(!isGone(Self.holder("there", boot: "other"), after: BackupLease.silence + .seconds(1)))
        var container = Self.holder(process: Int(Int32.max))
        container.namespace = "pid:[1]"
        #expect(!isGone(container))
    }

    @Test func `a running backup of another machine with our name is no debris`() async throws {
        let store = MemoryStore()
        let rival = Self.holder("localhost", boot: "another machine's")
        let lease = try #require(try await BackupLease.claim(Self.name, holder: rival, store: store))
        let debris = BackupDebris(store: store, holder: Self.holder("localhost"), log: .silent)
        #expect(try await debris.remove(now: .now()) == 0)
        #expect(try await debris.remove(now: Timestamp.now().advanced(by: BackupLease.renewal * 3)) == 0)
        try await lease.confirm()
        let later = Timestamp.now().advanced(by: BackupLease.silence + .seconds(1))
        #expect(try await debris.remove(now: later) == 1)
    }

    @Test func `debris of dead runs is removed, and nothing else`() async throws {
        let store = MemoryStore()
        func put(_ key: String, _ bytes: [UInt8] = [1]) async throws {
            _ = try await store.put(bytes, at: ObjectKey(key), .create)
        }
        func folder(_ digit: String) -> String { "basebackups_005/base_00000001000000000000000\(digit)" }
        let dead = Self.holder(process: Int(Int32.max)).encoded()
        // 1: a dead run's. 2: a living run's. 3: another program's. 4: finished, its mark left. 5: another host's.
        for digit in ["1", "2", "3", "4", "5"] { try await put(folder(digit) + "/tar_partitions/part_001.tar.lz4") }
        try await put(folder("1") + "/wals_lease.json", dead)
        try await put(folder("2") + "/wals_lease.json", Self.holder().encoded())
        try await put(folder("4") + "/wals_lease.json", dead)
        try await put(folder("4") + "_backup_stop_sentinel.json")
        try await put(folder("5") + "/wals_lease.json", Self.holder("there").encoded())
        let debris = BackupDebris(store: store, holder: Self.holder(), log: .silent)
        #expect(try await debris.remove(now: .now()) == 3)
        let expected = [
            folder("2") + "/tar_partitions/part_001.tar.lz4", folder("2") + "/wals_lease.json",
            folder("3") + "/tar_partitions/part_001.tar.lz4", folder("4") + "/tar_partitions/part_001.tar.lz4",
            folder("4") + "_backup_stop_sentinel.json", folder("5") + "/tar_partitions/part_001.tar.lz4",
            folder("5") + "/wals_lease.json",
        ]
        #expect(try await store.list(prefix: "").objects.map(\.key.text) == expected)
        // A mark that nobody renewed for long is given up wherever its run was.
        #expect(try await debris.remove(now: Timestamp.now().advanced(by: .seconds(7 * 3600))) == 4)
    }

    @Test(arguments: [true, false])
    func `uploads go with the folders they belong to, and their refusal spoils nothing`(isAllowed: Bool) async throws {
        var store = OrphanStore()
        store.isListingAllowed = isAllowed
        func folder(_ digit: String) -> String { "basebackups_005/base_00000001000000000000000\(digit)" }
        let dead = Self.holder(process: Int(Int32.max)).encoded()
        // 1: a dead run's. 2: a living run's. 3: another program's. 4: finished, its mark left. 5: finished.
        for (digit, mark) in [("1", dead), ("2", Self.holder().encoded()), ("4", dead)] {
            _ = try await store.put(mark, at: ObjectKey(folder(digit) + "/wals_lease.json"), .create)
        }
        for digit in ["4", "5"] {
            _ = try await store.put([1], at: ObjectKey(folder(digit) + "_backup_stop_sentinel.json"), .create)
        }
        for digit in ["1", "2", "3", "4", "5"] { store.leave(folder(digit) + "/tar_partitions/part_001.tar.lz4") }
        #expect(try await BackupDebris(store: store, holder: Self.holder(), log: .silent).remove(now: .now()) == 2)
        let left = store.uploads.withLock { $0.map { String($0.key.text.dropFirst(44).prefix(1)) } }
        #expect(left == (isAllowed ? ["2", "3", "5"] : ["1", "2", "3", "4", "5"]))
        #expect(
            try await store.list(prefix: "").objects.map(\.key.text) == [
                folder("2") + "/wals_lease.json", folder("4") + "_backup_stop_sentinel.json",
                folder("5") + "_backup_stop_sentinel.json",
            ])
    }
}
