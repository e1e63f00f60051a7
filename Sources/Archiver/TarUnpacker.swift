import Bytes
import Glibc
import Postgres
import Streams

/// Small files that are not written when they come, but at the end, in their order.
final class HeldFiles: Sendable {
    struct File: Equatable, Sendable {
        var bytes: [UInt8]
        var mode: mode_t
        var modified: Timestamp
    }

    /// `backup_label` has a handful of lines, `tablespace_map` one a tablespace.
    static let limit = 1 << 20
    private let files = Locked<[MemberPath: File]>([:])

    subscript(_ path: MemberPath) -> File? {
        get { files.withLock { $0[path] } }
    }

    func hold(_ path: MemberPath, _ file: File) { files.withLock { $0[path] = file } }
}

/// Takes the members of one part and puts them where they belong.
///
/// Not shared: each attempt at a part has its own.
final class TarUnpacker {
    private enum Current {
        case none
        case ignoring
        case writing(MemberPath, ExpectedFile, TarEntry)
        case holding(MemberPath, HeldFiles.File)
    }

    /// What all parts of a restore share.
    struct Shared: Sendable {
        let tree: RestoreTree
        let ledger: RestoreLedger
        let held: HeldFiles
        /// True when `backup_label` and `tablespace_map` come with the parts, there being no `backup_label.tar`.
        let holdsLabel: Bool
        /// The backup's start and end, in clusters with page checksums; nil where pages cannot be checked.
        let checkedPages: ClosedRange<LSN>?
        /// Symbolic links that were not restored.
        let skippedLinks: Locked<[MemberPath]>
    }

    private let number: Int
    private let shared: Shared
    private let writer: FileWriter
    private var current = Current.none
    private var pages: RestoredPages?
    private(set) var damagedPages = DamagedPages()
    private(set) var fileCount = 0
    private(set) var byteCount = 0
    /// Members met, wanted or not.
    private(set) var entryCount = 0

    /// `number` tells this part from the others.
    init(number: Int, _ shared: Shared) {
        self.number = number
        self.shared = shared
        writer = FileWriter(shared.tree)
    }

    func begin(_ entry: TarEntry) throws {
        entryCount += 1
        current = .ignoring
        let path = try MemberPath(memberName: entry.path)
        switch entry.kind {
        case .directory:
            try shared.tree.addDirectory(path, mode: mode_t(entry.mode), modified: entry.modified)
            shared.ledger.deliver(path, tar: number)
        case .regular: try beginFile(path, entry)
        case .symbolicLink: try addLink(path, entry)
        case .hardLink, .other:
            throw ArchiverError(
                .corrupted, "\(path) is neither a file nor a directory: PostgreSQL has nothing of the kind")
        }
    }

    private func beginFile(_ path: MemberPath, _ entry: TarEntry) throws {
        guard !path.isRoot else { throw ArchiverError(.corrupted, "a file without a name") }
        // Written last, from its own tar.
        guard path != .control else { return }
        if path == .backupLabel || path == .tablespaceMap {
            // Beside a backup_label.tar it is a left-over in the source's data directory.
            guard shared.holdsLabel else { return }
            guard entry.byteCount <= HeldFiles.limit else {
                throw ArchiverError(.corrupted, "\(path) has \(entry.byteCount) bytes: too many for what it is")
            }
            let mode = mode_t(entry.mode) & 0o777
            current = .holding(path, HeldFiles.File(bytes: [], mode: mode, modified: entry.modified))
            return
        }
        guard path.text != "postmaster.pid", path.text != "postmaster.opts" else { return }
        guard case .write(let expected) = try shared.ledger.claim(path, tar: number) else { return }
        if let modified = expected.modified {
            // The tar has whole seconds, rounded.
            let difference = entry.modified.duration(to: modified)
            guard difference <= .seconds(1), difference >= .seconds(-1) else {
                throw ArchiverError(
                    .corrupted,
                    """
                    \(path) is of \(entry.modified), the backup lists it as of \(modified): \
                    the object belongs to another backup
                    """)
            }
        }
        if let byteCount = expected.byteCount, byteCount != entry.byteCount {
            throw ArchiverError(
                .corrupted, "\(path) has \(entry.byteCount) bytes, the backup lists it with \(byteCount)")
        }
        pages = nil
        if let duration = shared.checkedPages, expected.checksum == nil {
            pages = RestoredPages(path, duration: duration)
        }
        try writer.begin(path, mode: mode_t(entry.mode))
        current = .writing(path, expected, entry)
    }

    /// A link is made when it stays inside; WAL-G's lead to themselves and say nothing.
    private func addLink(_ path: MemberPath, _ entry: TarEntry) throws {
        shared.ledger.deliver(path, tar: number)
        let target = entry.linkTarget
        // The links of tablespaces are made from the plan.
        guard !path.isRoot, path.components.first != "pg_tblspc" else { return }
        let isUseful =
            !target.isEmpty && !Path.isAbsolute(target) && target != Path.name(path.text)
            && !target.split(separator: "/").contains("..")
        guard isUseful else {
            shared.skippedLinks.withLock { if !$0.contains(path) { $0.append(path) } }
            return
        }
        let (directory, name) = try shared.tree.parent(of: path)
        try directory.makeSymbolicLink(name, to: target)
    }

    func append(_ bytes: RawSpan) throws {
        switch current {
        case .none: preconditionFailure("bytes of no member")
        case .ignoring: return
        case .writing:
            pages?.append(bytes)
            try writer.append(bytes)
        case .holding(let path, var file):
            bytes.withUnsafeBytes { file.bytes.append(contentsOf: $0) }
            current = .holding(path, file)
        }
    }

    func end() throws {
        switch current {
        case .none, .ignoring: break
        case .holding(let path, let file): shared.held.hold(path, file)
        case .writing(let path, let expected, let entry):
            guard writer.byteCount == entry.byteCount else {
                throw ArchiverError(
                    .corrupted, "\(path): \(writer.byteCount) bytes of \(entry.byteCount) were there")
            }
            if let checksum = expected.checksum, checksum != writer.checksum.value {
                throw ArchiverError(
                    .corrupted,
                    """
                    \(path): the CRC-32C is \(Hex.digits(writer.checksum.value, width: 8)), \
                    the backup lists \(Hex.digits(checksum, width: 8))
                    """)
            }
            if let pages { damagedPages.add(pages.damaged) }
            try writer.end(modified: expected.modified ?? entry.modified)
            fileCount += 1
            byteCount += entry.byteCount
        }
        current = .none
    }
}
