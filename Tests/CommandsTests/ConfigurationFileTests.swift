import Bytes
import TestSupport
import Testing

@testable import Commands

@Suite struct ConfigurationFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func file(_ text: String, _ name: String) throws -> String {
        try directory.write(Array(text.utf8), to: name)
    }

    private func load(_ path: String?, home: String? = nil) -> Settings {
        SettingsLoader.load(flags: [], environment: [:], configPath: path, home: home)
    }

    /// Source: walg.md, 7.4.
    @Test func `WAL-G's example is read`() throws {
        let path = try file(
            """
            {"WALG_S3_PREFIX":"s3://bucket/pg1","AWS_ENDPOINT":"http://minio:9000","AWS_S3_FORCE_PATH_STYLE":"true",
             "AWS_ACCESS_KEY_ID":"a","AWS_SECRET_ACCESS_KEY":"b","WALG_COMPRESSION_METHOD":"brotli",
             "WALG_DELTA_MAX_STEPS":"6","PGDATA":"/var/lib/postgresql/16/main","PGHOST":"/var/run/postgresql",
             "WALG_FAILOVER_STORAGES":{"other":{"WALG_S3_PREFIX":"s3://bucket2/pg1","AWS_SECRET_ACCESS_KEY":"hunter2"}}}
            """, ".walg.json")
        let settings = load(path)
        #expect(settings.text(.s3Prefix) == "s3://bucket/pg1")
        #expect(settings.bool(.forcePathStyle))
        #expect(settings.text(.pgData) == "/var/lib/postgresql/16/main")
        #expect(settings.problems.map(\.subject) == ["WALG_FAILOVER_STORAGES"])
        #expect(!"\(settings.problems)".contains("hunter2"))
    }

    @Test func `numbers and booleans are taken where text is usual`() throws {
        let path = try file(
            #"{"WALG_DOWNLOAD_CONCURRENCY": 7, "AWS_S3_FORCE_PATH_STYLE": true, "WALG_ZSTD_LEVEL": null}"#, "a.json")
        let settings = load(path)
        #expect(settings.integer(.downloadConcurrency) == 7)
        #expect(settings.bool(.forcePathStyle))
        #expect(settings.problems.isEmpty)
    }

    @Test func `keys are taken in any case, once`() throws {
        #expect(load(try file(#"{"walg_compression_METHOD": "zstd"}"#, "a.json")).text(.compressionMethod) == "zstd")
        let twice = load(try file(#"{"PGPORT": 1, "pgport": 2}"#, "b.json"))
        #expect(twice.problems.map(\.detail) == ["PGPORT and pgport are the same setting, given twice"])
    }

    @Test func `user data may be a map`() throws {
        let settings = load(try file(#"{"WALG_SENTINEL_USER_DATA": {"a": [1, "x"]}, "PGPORT": [1]}"#, "a.json"))
        #expect(settings.text(.sentinelUserData) == #"{"a":[1,"x"]}"#)
        #expect(
            settings.problems == [
                ConfigurationError(.invalidValue, subject: "PGPORT", detail: "must be one value, not a map or list")
            ])
    }

    @Test(arguments: ["walg.yaml", "walg.yml"])
    func `a flat YAML map is read`(name: String) throws {
        let settings = load(
            try file(
                """
                # comment
                WALG_S3_PREFIX: s3://bucket/path   # the place
                WALG_DOWNLOAD_CONCURRENCY: 7
                AWS_S3_FORCE_PATH_STYLE: true
                PGPASSWORD: "007"
                PGAPPNAME: 'no'
                PGPORT:
                """, name))
        #expect(settings.problems.isEmpty)
        #expect(settings.text(.s3Prefix) == "s3://bucket/path")
        #expect(settings.integer(.downloadConcurrency) == 7)
        #expect(settings.bool(.forcePathStyle))
        #expect(settings.secret(.pgPassword)?.revealed == "007")
        #expect(settings.text(.pgApplicationName) == "no")
        #expect(!settings.isSet(.pgPort))
    }

    @Test(arguments: [
        ("a.json", "{\"WALG_S3_PREFIX\":", "not valid JSON"), ("a.json", "", "not valid JSON"),
        ("a.json", "[]", "must hold one map of settings"), ("a.json", "null", "must hold one map of settings"),
        ("a.yaml", "a: b: c", "not valid YAML"), ("a.yaml", "a: [1", "not valid YAML"),
        ("a.yaml", "- a\n- b\n", "must hold one map of settings"), ("a.yaml", "a: *b", "not valid YAML"),
        ("a.yaml", "a: 1\n---\nb: 2\n", "not valid YAML: line 2: more than one document"),
        ("a.toml", "a = 1", "read as JSON or YAML"), ("a.env", "A=1", "read as JSON or YAML"),
        ("noextension", "{}", "read as JSON or YAML"),
    ])
    func `a file that cannot be read is an error`(name: String, text: String, detail: String) throws {
        let path = try file(text, name)
        let problems = load(path).problems
        #expect(problems.map(\.kind) == [.file])
        #expect(problems.first?.subject == path)
        #expect(problems.first?.detail.contains(detail) == true)
    }

    @Test func `a named file that is missing is an error, a missing default file is none`() throws {
        let path = directory.file("missing.json")
        #expect(
            load(path).problems == [
                ConfigurationError(.file, subject: path, detail: "the configuration file does not exist")
            ])
        #expect(load(nil, home: directory.path).problems.isEmpty)
    }

    @Test func `the default file is the one in the home directory, JSON first`() throws {
        _ = try file("PGPORT: 2", ".walg.yaml")
        #expect(load(nil, home: directory.path).text(.pgPort) == "2")
        _ = try file(#"{"PGPORT": 1}"#, ".walg.json")
        #expect(load(nil, home: directory.path).text(.pgPort) == "1")
        #expect(load(nil, home: directory.path).file == directory.file(".walg.json"))
    }

    @Test func `a default file of a format only WAL-G reads is an error`() throws {
        _ = try file("PGPORT = 1", ".walg.toml")
        #expect(load(nil, home: directory.path).problems.map(\.kind) == [.file])
    }

    @Test func `a directory is read as envdir does`() throws {
        _ = try file("s3://bucket/path \t\nsecond line\n", "env/WALE_S3_PREFIX")
        _ = try file("", "env/WALG_COMPRESSION_METHOD")
        _ = try file("one\0two", "env/PGOPTIONS")
        _ = try file("x", "env/OTHER_PROGRAM")
        _ = try file("x", "env/WALG_UNKNOWN_THING")
        _ = try file("x", "env/.hidden")
        let settings = load(directory.file("env"))
        #expect(settings.problems.isEmpty)
        #expect(settings.text(.s3Prefix) == "s3://bucket/path")
        #expect(settings.text(.pgOptions) == "one\ntwo")
        #expect(!settings.isSet(.compressionMethod))
        #expect(settings.notices.count == 1)
        #expect(
            settings.origin(.s3Prefix).description == "file \(directory.file("env/WALE_S3_PREFIX"))")
    }

    @Test func `every beginning of a YAML file is read or refused, never a crash`() throws {
        let text = Array("WALG_S3_PREFIX: \"s3://b\"\nPGPORT: 5\nm: {a: [1, 2], b: 'c'}\n".utf8)
        for count in 0...text.count {
            _ = try? YAMLReader.parse(Array(text.prefix(count)))
        }
        for index in text.indices {
            var flipped = text
            flipped[index] ^= 0x20
            _ = try? YAMLReader.parse(flipped)
        }
        #expect(
            try YAMLReader.parse(text).member("m") == JSONValue.parse(Array(#"{"a":[1,2],"b":"c"}"#.utf8)))
    }
}
