package import Bytes

/// What the backup says of a file.
package struct ExpectedFile: Equatable, Sendable {
    package var modified: Timestamp?
    /// Of the member's body; nil where the backup does not say (WAL-G's never do).
    package var byteCount: Int?
    /// One of the lists of what is in which tar has it.
    package var isInTarSet = false
    /// CRC-32C of the member's body; nil where the backup does not say.
    package var checksum: UInt32?

    package init() {}
}

/// Keeps account of the files that a restore wants and of those that came.
///
/// Streams share it: each file is claimed by the one tar that brings it.
final class RestoreLedger: Sendable {
    private struct Entry {
        var expected: ExpectedFile
        /// The number of the tar that brought it; -1: none yet.
        var tar: Int32 = -1
    }

    private struct Account {
        var entries: [MemberPath: Entry] = [:]
    }

    /// What to do with a member.
    enum Claim: Equatable {
        /// Not part of this restore.
        case ignore
        case write(ExpectedFile)
    }

    /// False when the backup does not list its files: everything is wanted then.
    let isListed: Bool
    private let mask: FileMask?
    private let account: Locked<Account>

    /// `files` is nil when the backup does not list its files.
    init(_ files: [MemberPath: ExpectedFile]?, mask: FileMask?) {
        isListed = files != nil
        self.mask = mask
        var account = Account()
        for (path, expected) in files ?? [:] where mask?.matches(path) ?? true {
            account.entries[path] = Entry(expected: expected)
        }
        self.account = Locked(account)
    }

    /// Files and directories the backup lists and the mask lets through.
    var wantedCount: Int { account.withLock { $0.entries.count } }

    func isWanted(_ path: MemberPath) -> Bool { account.withLock { $0.entries[path] != nil } }

    /// Says what to do with a regular file that a tar brings.
    ///
    /// - Throws: `ArchiverError` with `corrupted` when another tar brought it already.
    func claim(_ path: MemberPath, tar: Int) throws(ArchiverError) -> Claim {
        let isListed = isListed
        let mask = mask
        return try account.withLock { account throws(ArchiverError) -> Claim in
            if account.entries[path] == nil {
                guard !isListed, mask?.matches(path) ?? true else { return .ignore }
                account.entries[path] = Entry(expected: ExpectedFile())
            }
            guard let entry = account.entries[path] else { return .ignore }
            guard entry.tar < 0 || entry.tar == Int32(tar) else {
                throw ArchiverError(
                    .corrupted,
                    "\(path) is in two parts: which of them belongs to the backup cannot be told")
            }
            account.entries[path]?.tar = Int32(tar)
            return .write(entry.expected)
        }
    }

    /// Notes a directory or link that came.
    func deliver(_ path: MemberPath, tar: Int) {
        account.withLock { $0.entries[path]?.tar = Int32(tar) }
    }

    /// Forgets what a tar brought, before it is tried again.
    func forget(tar: Int) {
        account.withLock { account in
            for path in account.entries.keys where account.entries[path]?.tar == Int32(tar) {
                account.entries[path]?.tar = -1
            }
        }
    }

    /// What is listed and did not come: how many, and the first few in order.
    func missing() -> (count: Int, examples: [MemberPath]) {
        account.withLock { account in
            let missing = account.entries.filter { $0.value.tar < 0 }.map(\.key)
            let sorted = missing.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
            return (missing.count, Array(sorted.prefix(3)))
        }
    }
}
