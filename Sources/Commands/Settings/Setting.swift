/// One setting the program knows: how it is spelt, what it may hold, and what becomes of it.
package struct Setting: Sendable {
    /// What a setting may hold.
    package enum Kind: Equatable, Sendable {
        case text, path, url, json
        /// Text that no output shows; may also be given as a file by `NAME_FILE`.
        case secret
        /// The forms of Go's `ParseBool`: `1 t T true TRUE True 0 f F false FALSE False`.
        case bool
        case integer(ClosedRange<Int>)
        /// One of the whole numbers.
        case number([Int])
        /// A count of bytes in plain digits, as WAL-G takes it.
        case byteCount(ClosedRange<Int>)
        /// A count of bytes with an optional unit: `64MiB`, `1mb`, `4096`.
        case size(ClosedRange<Int>)
        /// A duration in Go's form, `1h30m` or `500ms`, not negative.
        case duration
        /// A number of milliseconds.
        case milliseconds
        /// A number between 0 and 1.
        case fraction
        /// One of the words, as written.
        case choice([String])

        package var isSecret: Bool { self == .secret }
    }

    /// What happens when the setting is set.
    package enum Status: Equatable, Sendable {
        case supported
        /// Changes nothing in the store; the text says what is done instead, for the log.
        case accepted(String)
        /// As `accepted`, but worth a warning.
        case warned(String)
        /// Would change what is stored, protected or deleted, and cannot yet; the text says what to do.
        case refused(String)
        /// Belongs to something this program has nothing to do with; never mentioned in the log.
        case unrelated(String)
    }

    /// Which spellings WAL-G looks a setting up under.
    package enum Lookup: Equatable, Sendable {
        /// The name itself and the `others`.
        case exact
        /// The name itself, then `WALG_` and `WALE_` before it.
        case storage
        /// `WALG_` and `WALE_` before what follows `WALG_` in the name; the bare word is no setting.
        case prefixed
    }

    package let name: SettingName
    package let kind: Kind
    /// The value in effect when none is set, spelt as a user would; nil when there is none.
    package let defaultText: String?
    package let summary: String
    package let status: Status
    /// Values that ask for what is done anyway: they are neither refused nor mentioned.
    package let harmless: [String]
    package let lookup: Lookup
    private let others: [String]

    init(
        _ name: SettingName, _ kind: Kind, default defaultText: String? = nil, _ summary: String,
        _ status: Status = .supported, harmless: [String] = [], lookup: Lookup = .exact, others: [String] = []
    ) {
        self.name = name
        self.kind = kind
        self.defaultText = defaultText
        self.summary = summary
        self.status = status
        self.harmless = harmless
        self.lookup = lookup
        self.others = others
    }

    /// Every spelling, in the order they are looked up.
    package var names: [String] {
        let main = name.rawValue
        switch lookup {
        case .exact: return [main] + others
        case .prefixed: return [main, "WALE_" + main.dropFirst(5)] + others
        case .storage:
            var names: [String] = []
            for bare in [main] + others { names += [bare, "WALG_" + bare, "WALE_" + bare] }
            return names
        }
    }

    /// A spelling as a command-line flag: `WALG_S3_PREFIX` is `walg-s3-prefix`.
    package static func flagName(_ name: String) -> String {
        String(decoding: name.utf8.map { $0 == 0x5F ? 0x2D : asciiLowercased($0) }, as: UTF8.self)
    }
}

func asciiLowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte }
func asciiUppercased(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte }
