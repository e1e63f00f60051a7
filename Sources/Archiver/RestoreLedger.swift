package import Bytes

/// What the backup says of a file.
package struct ExpectedFile: Equatable, Sendable {
    package var modified: Timestamp?
    /// Of the member's body; nil where the backup does not say (WAL-G's never do).
    package var byteCount: Int?
    /// CRC-32C of the member's body; nil where the backup does not say.
    package var checksum: UInt32?

    package init() {}
}

/// Keeps account of the files that a restore wants and of those that came.
///
/// Streams share it: each file is claimed by the one tar that brings it.
final class RestoreLedger: Sendable {
    /// In place of a tar's number.
    private enum Tar {
        static let none: Int32 = -1
        static let notWanted: Int32 = -2
    }

    private struct Account {
        /// By the number of the listed file: the tar that brought it.
        var listed: [Int32] = []
        /// Files that came, when the backup does not list its files.
        var unlisted: [MemberPath: Int32] = [:]
    }

    /// What to do with a member.
    enum Claim: Equatable {
        /// Not part of this restore.
        case ignore
        case write(ExpectedFile)
    }

    /// Nil when the backup does not list its files: everything is wanted then.
    private let files: ListedFiles?
    private let mask: FileMask?
    private let account: Locked<Account>

    /// `files` is nil when the backup does not list its files.
    init(_ files: ListedFiles?, mask: FileMask?) {
        self.files = files
        self.mask = mask
        var account = Account()
        if let files {
            account.listed = [Int32](repeating: Tar.none, count: files.count)
            if let mask {
                for number in 0..<files.count where !mask.matches(files.path(number)) {
                    account.listed[number] = Tar.notWanted
                }
            }
        }
        self.account = Locked(account)
    }

    var isListed: Bool { files != nil }

    /// Says what to do with a regular file that a tar brings.
    ///
    /// - Throws: `ArchiverError` with `corrupted` when another tar brought it already.
    func claim(_ path: MemberPath, tar: Int) throws(ArchiverError) -> Claim {
        if let files {
            guard let number = files.number(of: path) else { return .ignore }
            let holder = account.withLock { account in
                let holder = account.listed[number]
                if holder == Tar.none { account.listed[number] = Int32(tar) }
                return holder
            }
            guard holder != Tar.notWanted else { return .ignore }
            try check(path, tar, holder)
            return .write(files[number])
        }
        guard mask?.matches(path) ?? true else { return .ignore }
        let holder = account.withLock { account in
            let holder = account.unlisted[path] ?? Tar.none
            if holder == Tar.none { account.unlisted[path] = Int32(tar) }
            return holder
        }
        try check(path, tar, holder)
        return .write(ExpectedFile())
    }

    private func check(_ path: MemberPath, _ tar: Int, _ holder: Int32) throws(ArchiverError) {
        guard holder == Tar.none || holder == Int32(tar) else {
            throw ArchiverError(
                .corrupted, "\(path) is in two parts: which of them belongs to the backup cannot be told")
        }
    }

    /// Notes a directory or link that came.
    func deliver(_ path: MemberPath, tar: Int) {
        guard let number = files?.number(of: path) else { return }
        account.withLock { account in
            if account.listed[number] != Tar.notWanted { account.listed[number] = Int32(tar) }
        }
    }

    /// Forgets what a tar brought, before it is tried again.
    func forget(tar: Int) {
        account.withLock { account in
            for number in account.listed.indices where account.listed[number] == Int32(tar) {
                account.listed[number] = Tar.none
            }
            for path in account.unlisted.keys where account.unlisted[path] == Int32(tar) {
                account.unlisted[path] = Tar.none
            }
        }
    }

    /// What is listed and did not come: how many, and the first few in order.
    func missing() -> (count: Int, examples: [MemberPath]) {
        let (listed, unlisted) = account.withLock { ($0.listed, $0.unlisted) }
        var count = 0
        var examples: [MemberPath] = []
        func add(_ path: MemberPath) {
            count += 1
            examples.append(path)
            guard examples.count > 64 else { return }
            examples = first(examples)
        }
        for (number, tar) in listed.enumerated() where tar == Tar.none {
            if let files { add(files.path(number)) }
        }
        for (path, tar) in unlisted where tar == Tar.none { add(path) }
        return (count, first(examples))
    }

    private func first(_ paths: [MemberPath]) -> [MemberPath] {
        Array(paths.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }.prefix(3))
    }
}
