/// How new objects are compressed; the raw values are those of `WALG_COMPRESSION_METHOD`.
package enum CompressionMethod: String, CaseIterable, Sendable {
    case lz4, zstd, brotli, lzma, none

    /// What the object's name ends with, without the dot; empty for `none`, whose objects have no extension.
    package var fileExtension: String { storedFormat.fileExtension }

    /// The same method as something to read.
    package var storedFormat: StoredFormat {
        switch self {
        case .lz4: .lz4
        case .zstd: .zstd
        case .brotli: .brotli
        case .lzma: .lzma
        case .none: .none
        }
    }
}

/// How a stored object is compressed: everything that can be read.
package enum StoredFormat: String, CaseIterable, Sendable {
    case lz4, zstd, brotli, lzma, gzip, none

    /// Without the dot; empty for `none`.
    package var fileExtension: String {
        switch self {
        case .lz4: "lz4"
        case .zstd: "zst"
        case .brotli: "br"
        case .lzma: "lzma"
        case .gzip: "gz"
        case .none: ""
        }
    }

    /// The format of an extension as WAL-G writes it; nil for one that is not known.
    package init?(fileExtension: some StringProtocol) {
        guard let format = Self.allCases.first(where: { $0.fileExtension == fileExtension }) else { return nil }
        self = format
    }

    /// The format of an object by the last dot-extension of its name.
    ///
    /// `part_001.tar` and, from WAL-G before 3.0.8, `part_001.tar.` are uncompressed. So is a name without a dot, and
    /// one that ends with an extension of PostgreSQL's own. Nil for any other extension, `lzo` for one.
    package static func ofObject(named name: some StringProtocol) -> StoredFormat? {
        let base = name.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let dot = base.lastIndex(of: ".") else { return StoredFormat.none }
        let fileExtension = base[base.index(after: dot)...]
        let own: Set<Substring> = ["tar", "history", "backup", "partial", "json"]
        return own.contains(Substring(fileExtension)) ? StoredFormat.none : StoredFormat(fileExtension: fileExtension)
    }
}

/// The levels of `WALG_ZSTD_LEVEL`.
package enum ZstdLevel: String, CaseIterable, Sendable {
    case fastest, `default`, better, best

    /// The library's number for it.
    var number: Int32 {
        switch self {
        case .fastest: 1
        case .default: 3
        case .better: 7
        case .best: 11
        }
    }
}

/// The size of the blocks in an LZ4 frame.
package enum LZ4BlockSize: Sendable {
    case kib64, kib256, mib1, mib4
}

/// How a stream is compressed.
package struct CompressionSettings: Sendable {
    package var method: CompressionMethod
    package var zstdLevel: ZstdLevel
    /// The block size of LZ4 frames, which every reader takes, WAL-G's too.
    ///
    /// 256 KiB instead of WAL-G's 4 MiB: 20 % less CPU time on 72 MB of a small cluster and its WAL, for it stays in
    /// the cache, 2 MiB of memory instead of 7, at 0.8 % more stored bytes.
    package var lz4BlockSize: LZ4BlockSize

    package init(
        method: CompressionMethod, zstdLevel: ZstdLevel = .default, lz4BlockSize: LZ4BlockSize = .kib256
    ) {
        self.method = method
        self.zstdLevel = zstdLevel
        self.lz4BlockSize = lz4BlockSize
    }
}
