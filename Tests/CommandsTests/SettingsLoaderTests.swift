import Bytes
import TestSupport
import Testing

@testable import Commands

@Suite struct SettingsLoaderTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func load(
        _ environment: [String: String] = [:], flags: [SettingFlag] = [], config: String? = nil, home: String? = nil
    ) -> Settings {
        SettingsLoader.load(flags: flags, environment: environment, configPath: config, home: home)
    }

    private func file(_ text: String, _ name: String = "walg.json") throws -> String {
        try directory.write(Array(text.utf8), to: name)
    }

    @Test func `a flag beats the environment, which beats the file, which beats the default`() throws {
        let path = try file(#"{"WALG_DOWNLOAD_CONCURRENCY": 3}"#)
        let environment = ["WALG_DOWNLOAD_CONCURRENCY": "4"]
        let flag = SettingFlag(
            flag: "--walg-download-concurrency", spelling: "WALG_DOWNLOAD_CONCURRENCY", value: "5")
        #expect(load().integer(.downloadConcurrency) == 10)
        #expect(load().origin(.downloadConcurrency) == .builtIn)
        #expect(load(config: path).integer(.downloadConcurrency) == 3)
        #expect(load(config: path).origin(.downloadConcurrency) == .file(path: path, key: "WALG_DOWNLOAD_CONCURRENCY"))
        #expect(load(environment, config: path).integer(.downloadConcurrency) == 4)
        #expect(
            load(environment, config: path).origin(.downloadConcurrency) == .environment("WALG_DOWNLOAD_CONCURRENCY"))
        let all = load(environment, flags: [flag], config: path)
        #expect(all.integer(.downloadConcurrency) == 5)
        #expect(all.origin(.downloadConcurrency) == .flag("--walg-download-concurrency"))
    }

    @Test func `the segment size is a number of MiB`() {
        #expect(load(["WALG_PG_WAL_SIZE": "64"]).integerIfAny(.walSize) == 64)
        #expect(load().integerIfAny(.walSize) == nil)
    }

    @Test(arguments: ["WALG_S3_PREFIX", "WALE_S3_PREFIX"])
    func `the old name of the prefix works`(name: String) {
        #expect(load([name: "s3://bucket/path"]).text(.s3Prefix) == "s3://bucket/path")
    }

    @Test(arguments: ["S3_SSE", "WALG_S3_SSE", "WALE_S3_SSE"])
    func `a storage setting has three names`(name: String) {
        #expect(load([name: "AES256"]).text(.sse) == "AES256")
    }

    @Test func `the bare word is no name of the prefix`() {
        #expect(!load(["S3_PREFIX": "s3://bucket/path"]).isSet(.s3Prefix))
    }

    @Test func `two spellings that differ make a warning, and the first counts`() {
        let settings = load(["WALG_S3_PREFIX": "s3://a/b", "WALE_S3_PREFIX": "s3://c/d"])
        #expect(settings.text(.s3Prefix) == "s3://a/b")
        #expect(
            settings.notices == [
                SettingNotice(
                    level: .warning,
                    message: "WALG_S3_PREFIX and WALE_S3_PREFIX are the same setting with different values: "
                        + "the first is used")
            ])
        #expect(load(["WALG_S3_PREFIX": "s3://a/b", "WALE_S3_PREFIX": "s3://a/b"]).notices.isEmpty)
    }

    @Test func `an empty variable counts as unset and line ends are cut off`() throws {
        let path = try file(#"{"WALG_COMPRESSION_METHOD": "brotli", "WALG_STORAGE_PREFIX": ""}"#)
        let settings = load(["WALG_COMPRESSION_METHOD": "", "WALG_ZSTD_LEVEL": "\r\n"], config: path)
        #expect(settings.text(.compressionMethod) == "brotli")
        #expect(!settings.isSet(.zstdLevel))
        #expect(!settings.isSet(.storagePrefix))
        #expect(load(["WALG_COMPRESSION_METHOD": "zstd\r\n"]).text(.compressionMethod) == "zstd")
        #expect(load(["AWS_ACCESS_KEY_ID": " key\t"]).text(.accessKeyID) == "key")
    }

    /// Source: Go, strconv.ParseBool.
    @Test(arguments: ["1", "t", "T", "true", "TRUE", "True"], ["0", "f", "F", "false", "FALSE", "False"])
    func `switches take the forms of Go`(yes: String, no: String) {
        #expect(load(["WALS_PUSH_ANY_FILE": yes]).bool(.pushAnyFile))
        let settings = load(["WALG_VERIFY_PAGE_CHECKSUMS": no])
        #expect(!settings.bool(.verifyPageChecksums) && settings.problems.isEmpty)
    }

    /// The first ten are of walg-faults.md, F7: WAL-G takes some of them as 0 or false.
    @Test(arguments: [
        ("WALG_COMPRESSION_METHOD", "lz5", "must be one of lz4, zstd, brotli, lzma, none"),
        ("WALG_UPLOAD_CONCURRENCY", "many", "must be a whole number from 1 to 1024"),
        ("WALG_UPLOAD_CONCURRENCY", "-3", "must be a whole number from 1 to 1024"),
        ("S3_MAX_RETRIES", "x", "must be a whole number from 0 to 1000000"),
        ("AWS_S3_FORCE_PATH_STYLE", "perhaps", "must be true or false"),
        ("WALG_LOG_LEVEL", "CHATTY", "must be one of NORMAL, ERROR, DEVEL"),
        ("WALG_DELTA_ORIGIN", "NEWEST", "must be one of LATEST, LATEST_FULL"),
        ("WALG_PREVENT_WAL_OVERWRITE", "maybe", "must be true or false"),
        ("WALG_DELTA_MAX_STEPS", "six", "must be a whole number from 0 to 1000000"),
        ("WALG_TAR_SIZE_THRESHOLD", "1G", "must be a whole number of bytes, without unit, of at least 1"),
        ("S3_MAX_PART_SIZE", "20MB", "must be a whole number of bytes, without unit, from 5242880 to 5368709120"),
        ("WALG_DOWNLOAD_CONCURRENCY", "0", "must be a whole number from 1 to 1024"),
        ("WALG_PG_WAL_SIZE", "17", "must be one of 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024"),
        ("WALG_ALIVE_CHECK_INTERVAL", "60", "must be a duration such as 30s, 1h30m or 500ms"),
        ("WALG_ALIVE_CHECK_INTERVAL", "-1s", "must be a duration such as 30s, 1h30m or 500ms"),
        ("WALG_SENTINEL_USER_DATA", "{\"a\":", "must be a JSON value"),
        ("WALS_MEMORY_LIMIT", "12 apples", "must be a size such as 64MiB or a number of bytes, of at least 33554432"),
        ("WALS_MEMORY_LIMIT", "1MiB", "must be a size such as 64MiB or a number of bytes, of at least 33554432"),
        ("AWS_ENDPOINT", "ftp://host", "must be https://host[:port] or http://host[:port]"),
        ("S3_MIN_THROTTLING_RETRY_DELAY", "1s", "must be a number of milliseconds from 0 to 86400000"),
        ("WALG_FAILOVER_STORAGES_CACHE_EMA_ALIVE_LIMIT", "2", "must be a number from 0 to 1"),
        ("WALS_FETCH_ERROR_EXIT", "0", "must be a whole number from 1 to 255"),
        ("PGSSLMODE", "maybe", "must be one of disable, allow, prefer, require, verify-ca, verify-full"),
    ])
    func `a value that does not parse is an error, never a default`(name: String, value: String, allowed: String) {
        let settings = load([name: value])
        #expect(
            settings.problems == [
                ConfigurationError(.invalidValue, subject: name, detail: "\"\(value)\" is not allowed: \(allowed)")
            ])
        #expect(throws: ConfigurationError.self) { try settings.check() }
    }

    @Test(arguments: [
        "WALG_PGP_KEY", "WALG_PGP_KEY_PATH", "WALG_GPG_KEY_ID", "WALE_GPG_KEY_ID", "GPG_KEY_ID", "WALG_LIBSODIUM_KEY",
        "WALG_LIBSODIUM_KEY_PATH", "WALG_CSE_KMS_ID", "YC_CSE_KMS_KEY_ID", "WALG_ENVELOPE_PGP_KEY", "WALG_GS_PREFIX",
        "WALE_GS_PREFIX", "WALG_AZ_PREFIX", "WALG_SWIFT_PREFIX", "WALG_SSH_PREFIX", "WALG_OSS_PREFIX",
        "WALG_FAILOVER_STORAGES", "S3_ENDPOINT_SOURCE", "AWS_ROLE_ARN", "WALG_TARGET_STORAGE",
    ])
    func `what would store, protect or find data otherwise is refused`(name: String) {
        let settings = load([name: "something"])
        #expect(settings.problems.map(\.kind) == [.notAvailable])
        #expect(settings.problems.first?.subject == name)
        #expect(settings.problems.first?.description.contains("something") == false)
    }

    @Test(arguments: [
        ("WALG_UPLOAD_WAL_METADATA", "BULK"), ("S3_RETENTION_PERIOD", "86400"), ("WALG_PG_BLOCK_SIZE", "16384"),
        ("WALG_FORCE_WAL_DELTA", "true"), ("S3_USE_LIST_OBJECTS_V1", "true"),
    ])
    func `a value that asks for more is refused, the default is not`(name: String, value: String) throws {
        #expect(load([name: value]).problems.map(\.kind) == [.notAvailable])
        let setting = SettingTable.setting(try #require(SettingTable.name(spelt: name)))
        #expect(load([name: try #require(setting.defaultText)]).problems.isEmpty)
    }

    @Test(arguments: [
        ("WALG_USE_WAL_DELTA", "true"), ("WALG_UPLOAD_QUEUE", "4"), ("WALG_USE_RATING_COMPOSER", "1"),
        ("WALG_SERIALIZER_TYPE", "json_streamed"), ("S3_SKIP_VALIDATION", "false"),
        ("WALG_PREVENT_WAL_OVERWRITE", "false"),
    ])
    func `what changes only the inside is accepted with a line`(name: String, value: String) {
        let settings = load([name: value])
        #expect(settings.problems.isEmpty)
        #expect(settings.notices.map(\.level) == [.information])
        #expect(settings.notices.first?.message.hasPrefix(name + ": ") == true)
    }

    @Test func `deltas are accepted with a warning`() {
        let settings = load(["WALG_DELTA_MAX_STEPS": "6"])
        #expect(settings.problems.isEmpty)
        #expect(settings.notices.map(\.level) == [.warning])
        #expect(load(["WALG_DELTA_MAX_STEPS": "0"]).notices.isEmpty)
    }

    @Test(arguments: [
        (["WALG_ZSTD_LEVEL": "best"], "WALG_ZSTD_LEVEL", "needs WALG_COMPRESSION_METHOD=zstd"),
        (["S3_SSE": "aws:kms"], "S3_SSE", "aws:kms needs S3_SSE_KMS_ID"),
        (["S3_SSE_KMS_ID": "key", "S3_SSE": "AES256"], "S3_SSE_KMS_ID", "needs S3_SSE=aws:kms"),
        (["AWS_ACCESS_KEY_ID": "key"], "AWS_ACCESS_KEY_ID", "needs AWS_SECRET_ACCESS_KEY"),
        (["AWS_SECRET_KEY": "key"], "AWS_SECRET_KEY", "needs AWS_ACCESS_KEY_ID"),
    ])
    func `settings that need each other are refused alone`(
        environment: [String: String], subject: String, detail: String
    ) {
        #expect(load(environment).problems == [ConfigurationError(.conflict, subject: subject, detail: detail)])
    }

    @Test func `a URL with a password in it is refused without showing it`() {
        #expect(
            load(["AWS_ENDPOINT": "https://user:hunter2@host"]).problems == [
                ConfigurationError(
                    .invalidValue, subject: "AWS_ENDPOINT",
                    detail: "******** is not allowed: must be https://host[:port] or http://host[:port]")
            ])
    }

    @Test func `a secret may come from a file, not from both`() throws {
        let path = try file("hunter2\n", "secret")
        #expect(load(["PGPASSWORD_FILE": path]).secret(.pgPassword)?.revealed == "hunter2")
        let both = load(["PGPASSWORD_FILE": path, "PGPASSWORD": "other"])
        #expect(
            both.problems == [
                ConfigurationError(
                    .conflict, subject: "PGPASSWORD", detail: "PGPASSWORD_FILE is set too: set one of them")
            ])
        let missing = load(["PGPASSWORD_FILE": path + "x"])
        #expect(missing.problems.map(\.kind) == [.file])
        let empty = load(["PGPASSWORD_FILE": try file("\n", "empty")])
        #expect(empty.problems.map(\.kind) == [.file])
    }

    @Test func `unknown names are warned of with the nearest known one`() throws {
        let path = try file(#"{"WALG_S3_PREFX": "a", "nonsense": 1, "walg_storage_prefix": "x"}"#)
        let settings = load(["WALG_UPLOAD_CONCURENCY": "3", "WALS_XYZZY": "1", "HOME": "/root"], config: path)
        #expect(
            settings.notices.map(\.message) == [
                "WALG_UPLOAD_CONCURENCY in the environment is unknown: did you mean WALG_UPLOAD_CONCURRENCY?",
                "WALS_XYZZY in the environment is unknown",
                "WALG_S3_PREFX in \(path) is unknown: did you mean WALG_S3_PREFIX?",
                "nonsense in \(path) is unknown",
            ])
        #expect(settings.text(.storagePrefix) == "x")
    }
}
