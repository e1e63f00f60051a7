import Bytes

/// Reads a tar archive that is pushed to it in chunks of any size.
///
/// Read are ustar, PAX, GNU (long names, binary numbers), star and the old format of version 7. Its memory does not
/// grow with the archive: a PAX header or long name may have at most 1 MiB. Tar knows checksums of headers only;
/// damage in a body is for others to see.
///
/// An archive ends with two blocks of zeros, behind which only zeros may follow (WAL-G's rule).
package final class TarReader {
    /// What is made of an archive that stops between two members, without the two blocks of zeros.
    package enum EndRule: Sendable {
        /// It is refused as cut.
        case required
        /// It is whole: the parts that WAL-G 3.0.9 writes in its remote mode have no end.
        ///
        /// Fit only for what is known to be whole by other means, a compressed stream or the object's digest.
        case optional
    }

    private enum State {
        case header, extended, body, padding, trailer, finished
        case failed(any Error)
    }

    private static let extendedLimit = 1 << 20
    private static let operation = "read tar"

    private let endRule: EndRule
    private var state = State.header
    private var block = [UInt8](repeating: 0, count: TarHeader.byteCount)
    private var filled = 0
    private var zeroBlocks = 0
    /// Bytes of the body or extended header that are to come.
    private var remaining = 0
    /// Zeros that fill up the block, to come.
    private var padding = 0
    private var extendedType: UInt8 = 0
    private var extendedBytes: [UInt8] = []
    private var global = PAXRecords()
    private var local = PAXRecords()
    private var path = ""
    /// Bytes taken so far.
    package private(set) var consumed = 0
    /// Members begun so far.
    package private(set) var entryCount = 0

    package init(end endRule: EndRule = .required) { self.endRule = endRule }

    /// Reads `bytes` and calls `handler` for whatever is in them.
    ///
    /// - Throws: `StreamError`, and whatever `handler` throws. The archive is then dead: every further call throws the
    ///   same.
    package func update(_ bytes: RawSpan, _ handler: (TarEvent) throws -> Void) throws {
        try checkOpen()
        do {
            var position = 0
            while position < bytes.byteCount {
                let count = try take(bytes.extracting(position..<bytes.byteCount), handler)
                position += count
            }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// Ends the archive.
    ///
    /// - Throws: `StreamError` of kind `truncated` when its end has not been there.
    package func finish() throws {
        try checkOpen()
        guard isAtEnd else {
            let place =
                switch state {
                case .body, .padding: "in the member \(path)"
                case .extended: "in an extended header"
                default: filled > 0 ? "in a header" : "before the two blocks of zeros that end it"
                }
            let error = failure(.truncated, "the archive is cut: it ends after \(consumed) bytes, \(place)")
            state = .failed(error)
            throw error
        }
        state = .finished
    }

    private var isAtEnd: Bool {
        switch state {
        case .trailer: true
        case .header: endRule == .optional && filled == 0 && zeroBlocks == 0 && local.isEmpty && entryCount > 0
        default: false
        }
    }

    private func checkOpen() throws {
        switch state {
        case .failed(let error): throw error
        case .finished: preconditionFailure("the archive is finished")
        default: return
        }
    }

    /// Reads some of `bytes`, at least one, and says how many.
    private func take(_ bytes: RawSpan, _ handler: (TarEvent) throws -> Void) throws -> Int {
        switch state {
        case .header:
            let count = min(TarHeader.byteCount - filled, bytes.byteCount)
            for index in 0..<count {
                block[filled + index] = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            }
            filled += count
            consumed += count
            if filled == TarHeader.byteCount {
                filled = 0
                try read(handler)
            }
            return count
        case .extended:
            let count = min(remaining, bytes.byteCount)
            bytes.extracting(0..<count).withUnsafeBytes { extendedBytes.append(contentsOf: $0) }
            remaining -= count
            consumed += count
            if remaining == 0 { try endExtended() }
            return count
        case .body:
            let count = min(remaining, bytes.byteCount)
            remaining -= count
            consumed += count
            try handler(.body(bytes.extracting(0..<count)))
            if remaining == 0 {
                try handler(.endOfEntry)
                state = padding > 0 ? .padding : .header
            }
            return count
        case .padding:
            let count = min(padding, bytes.byteCount)
            padding -= count
            consumed += count
            if padding == 0 { state = .header }
            return count
        case .trailer:
            let firstOther = bytes.withUnsafeBytes { buffer in buffer.firstIndex { $0 != 0 } }
            consumed += firstOther ?? bytes.byteCount
            guard firstOther == nil else {
                throw failure(.corrupted, "bytes other than zero follow the end of the archive")
            }
            return bytes.byteCount
        case .finished, .failed:
            preconditionFailure("checked before")
        }
    }

    /// Reads the block that is filled.
    private func read(_ handler: (TarEvent) throws -> Void) throws {
        let start = consumed - TarHeader.byteCount
        guard block.contains(where: { $0 != 0 }) else {
            guard local.isEmpty else {
                throw failure(.corrupted, "the archive ends behind an extended header, without its member", at: start)
            }
            zeroBlocks += 1
            if zeroBlocks == 2 { state = .trailer }
            return
        }
        guard zeroBlocks == 0 else {
            throw failure(.corrupted, "a single block of zeros stands between members", at: start)
        }
        do {
            let header = try TarHeader(parsing: block)
            switch header.type {
            case TarHeader.TypeFlag.extended, TarHeader.TypeFlag.oldExtended, TarHeader.TypeFlag.globalExtended,
                TarHeader.TypeFlag.longName, TarHeader.TypeFlag.longLink:
                try beginExtended(header)
                return
            default:
                break
            }
            let entry = try entry(from: header)
            path = entry.path
            remaining = entry.byteCount
            padding = -remaining & (TarHeader.byteCount - 1)
            local = PAXRecords()
            entryCount += 1
            state = remaining > 0 ? .body : .header
            try handler(.entry(entry))
            if remaining == 0 { try handler(.endOfEntry) }
        } catch let error as CodecFailure {
            throw failure(error.kind, error.detail, at: start)
        }
    }

    private func beginExtended(_ header: TarHeader) throws(CodecFailure) {
        guard header.size <= Self.extendedLimit else {
            throw CodecFailure(.unsupported, "an extended header of \(header.size) bytes; 1 MiB is the limit")
        }
        extendedType = header.type
        extendedBytes.removeAll(keepingCapacity: true)
        remaining = header.size
        padding = -remaining & (TarHeader.byteCount - 1)
        guard remaining > 0 else {
            if header.type == TarHeader.TypeFlag.longName || header.type == TarHeader.TypeFlag.longLink {
                throw CodecFailure(.corrupted, "a long name is empty")
            }
            return
        }
        state = .extended
    }

    private func endExtended() throws {
        do {
            switch extendedType {
            case TarHeader.TypeFlag.globalExtended:
                try global.add(parsing: extendedBytes)
            case TarHeader.TypeFlag.longName, TarHeader.TypeFlag.longLink:
                let name = Array(extendedBytes.prefix { $0 != 0 })
                guard !name.isEmpty else { throw CodecFailure(.corrupted, "a long name is empty") }
                local[extendedType == TarHeader.TypeFlag.longName ? "path" : "linkpath"] = name
            default:
                try local.add(parsing: extendedBytes)
            }
        } catch let error as CodecFailure {
            throw failure(error.kind, error.detail, at: consumed - extendedBytes.count)
        }
        state = padding > 0 ? .padding : .header
    }

    private func entry(from header: TarHeader) throws(CodecFailure) -> TarEntry {
        let records = local.over(global)
        var entry = TarEntry(path: try Self.name(records["path"] ?? header.path, "name"))
        guard !entry.path.isEmpty else { throw CodecFailure(.corrupted, "a member has no name") }
        switch header.type {
        case TarHeader.TypeFlag.regular, TarHeader.TypeFlag.oldRegular, TarHeader.TypeFlag.contiguous:
            // Version 7 had no type for directories.
            entry.kind = entry.path.hasSuffix("/") ? .directory : .regular
        case TarHeader.TypeFlag.directory: entry.kind = .directory
        case TarHeader.TypeFlag.symbolicLink: entry.kind = .symbolicLink
        case TarHeader.TypeFlag.hardLink: entry.kind = .hardLink
        case TarHeader.TypeFlag.characterDevice, TarHeader.TypeFlag.blockDevice, TarHeader.TypeFlag.pipe:
            entry.kind = .other
        default:
            let type = String(decoding: [header.type], as: UTF8.self)
            throw CodecFailure(.unsupported, "the member \(entry.path) is of the type \"\(type)\", which is not read")
        }
        // All but regular files have no body, whatever the header says of a size.
        if entry.kind == .regular { entry.byteCount = try records.number("size") ?? header.size }
        entry.mode = UInt32(truncatingIfNeeded: header.mode) & 0o7777
        entry.userID = try records.number("uid") ?? header.userID
        entry.groupID = try records.number("gid") ?? header.groupID
        entry.userName = String(decoding: records["uname"] ?? header.userName, as: UTF8.self)
        entry.groupName = String(decoding: records["gname"] ?? header.groupName, as: UTF8.self)
        entry.modified = try records.time("mtime") ?? Timestamp(seconds: Int64(header.modified))
        if entry.kind == .symbolicLink || entry.kind == .hardLink {
            entry.linkTarget = try Self.name(records["linkpath"] ?? header.linkName, "link target")
        }
        return entry
    }

    /// A name that is not UTF-8 is refused: it could not be told apart from others or restored as it was.
    private static func name(_ bytes: [UInt8], _ what: String) throws(CodecFailure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            let repaired = String(decoding: bytes, as: UTF8.self)
            throw CodecFailure(.unsupported, "a member's \(what) is not UTF-8: \(repaired)")
        }
        return text
    }

    private func failure(_ kind: StreamError.Kind, _ detail: String, at offset: Int? = nil) -> StreamError {
        StreamError(kind, operation: Self.operation, offset: offset ?? consumed, detail: detail)
    }
}
