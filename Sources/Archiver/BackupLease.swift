import Bytes
import Glibc
import Repository
import Storage

/// The mark that a backup's folder is one run's: an object of ours, written first and removed when the run is over.
///
/// It keeps two hosts from writing under one name, and tells a later run whether a folder without sentinel is debris. A
/// running backup writes it anew every few minutes. WAL-G passes over objects it does not know.
struct BackupLease: Sendable {
    static let objectName = "wals_lease.json"
    /// How often a running backup renews its mark.
    static let renewal: Duration = .seconds(300)
    /// How old a mark must be for its run to be held dead with its machine.
    ///
    /// Several renewals, and the longest time for which a request of a renewal is tried again.
    static let silence: Duration = renewal * 6
    /// How old a mark of another host must be to be given up.
    static let patience: Duration = .seconds(6 * 3600)

    /// A process, told apart from every other one on any host.
    struct Holder: Equatable, Sendable {
        var hostname: String
        /// Of the kernel's run; empty when it is not known.
        var boot: String
        /// The process number's namespace: containers on one host have their own.
        var namespace: String
        var processID: Int
        /// Clock ticks from the boot to the process's start.
        var started: String
        /// Chosen at random for the run.
        var token: String
    }

    let holder: Holder
    let backup: String
    private let store: any ObjectStore

    static func key(_ backup: String) -> ObjectKey { ObjectKey(Layout.folder(backup) + objectName) }

    /// Claims the name of a backup: nil when something is stored under it already.
    static func claim(_ backup: String, holder: Holder, store: any ObjectStore) async throws -> BackupLease? {
        guard try await store.info(Layout.sentinel(backup)) == nil else { return nil }
        let listing = try await store.list(
            prefix: Layout.folder(backup), recursive: true, startAfter: nil, limit: 1)
        guard listing.objects.isEmpty, listing.folders.isEmpty else { return nil }
        let lease = BackupLease(holder: holder, backup: backup, store: store)
        do {
            _ = try await store.put(lease.holder.encoded(), at: key(backup), .create)
        } catch let error as StorageError where error.kind == .alreadyExists {
            // A repeated request after a lost answer meets our own mark.
            guard try await lease.isOurs() else { return nil }
        }
        return lease
    }

    /// Writes the mark anew, so that others see that the backup still runs.
    func renew() async throws {
        try await confirm()
        _ = try await store.put(holder.encoded(), at: Self.key(backup), .replace)
    }

    /// Makes sure that the name is still ours.
    func confirm() async throws {
        guard try await isOurs() else {
            throw ArchiverError(
                .conflict,
                "backup-push: the mark \(Self.key(backup)) of this run was removed or replaced in \(store.location); "
                    + "another run took its objects for debris. The backup is given up")
        }
    }

    private func isOurs() async throws -> Bool {
        do {
            let (bytes, _) = try await store.get(Self.key(backup), limit: 65536)
            return Holder(parsing: bytes)?.token == holder.token
        } catch let error as StorageError where error.kind == .notFound {
            return false
        }
    }

    func release() async throws {
        if let failure = try await store.delete([Self.key(backup)]).first { throw failure.error }
    }
}

extension BackupLease.Holder {
    /// This process.
    static func current(hostname: String) -> Self {
        Self(
            hostname: hostname, boot: text("/proc/sys/kernel/random/boot_id"),
            namespace: (try? FileSystem.linkTarget("/proc/self/ns/pid")) ?? "", processID: Int(getpid()),
            started: startTicks(Int(getpid())),
            token: Hex.digits(UInt64.random(in: 0 ... .max), width: 16))
    }

    /// Whether the process is certainly no more: it ran where we run, and is not there.
    ///
    /// `age` is the time since its mark was renewed.
    func isGone(seenFrom other: Self, age: Duration) -> Bool {
        guard !boot.isEmpty, hostname == other.hostname else { return false }
        // After a reboot nothing of before runs; but another machine may have the same name (localhost, a pod's).
        if boot != other.boot { return age > BackupLease.silence }
        guard !namespace.isEmpty, namespace == other.namespace, !started.isEmpty else { return false }
        return Self.startTicks(processID) != started
    }

    private static func text(_ path: String) -> String {
        guard let bytes = try? FileSystem.contents(path, limit: 4096) else { return "" }
        return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }

    /// Field 22 of `/proc/PID/stat`; empty when there is no such process.
    private static func startTicks(_ process: Int) -> String {
        guard let bytes = try? FileSystem.contents("/proc/\(process)/stat", limit: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return "" }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 19 ? String(decoding: fields[19], as: UTF8.self) : ""
    }

    func encoded() -> [UInt8] {
        let members = [
            JSONMember("version", .number("1")), JSONMember("tool", .string(Tool.name)),
            JSONMember("hostname", .string(hostname)), JSONMember("boot", .string(boot)),
            JSONMember("namespace", .string(namespace)), JSONMember("process", .number(String(processID))),
            JSONMember("started", .string(started)), JSONMember("token", .string(token)),
        ]
        return JSONWriter.bytes(of: .object(members), escaping: .html)
    }

    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONValue.parse(bytes), let hostname = value.member("hostname")?.string,
            let boot = value.member("boot")?.string, let namespace = value.member("namespace")?.string,
            let process = value.member("process")?.integer(Int.self), let started = value.member("started")?.string,
            let token = value.member("token")?.string
        else { return nil }
        self.init(
            hostname: hostname, boot: boot, namespace: namespace, processID: process, started: started, token: token)
    }
}
