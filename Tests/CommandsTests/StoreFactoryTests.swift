import Bytes
import Storage
import TestSupport
import Testing

@testable import Commands

@Suite struct StoreFactoryTests {
    private static let keys = ["AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hunter2"]

    private func settings(_ environment: [String: String]) -> Settings {
        SettingsLoader.load(flags: [], environment: environment, configPath: nil, home: nil)
    }

    private func location(_ environment: [String: String]) throws -> String {
        try StoreFactory(settings: settings(environment), log: .silent).store().location
    }

    private func problem(_ environment: [String: String]) -> ConfigurationError? {
        do {
            _ = try location(environment)
            return nil
        } catch { return error as? ConfigurationError }
    }

    @Test(arguments: ["/srv/archive", "file://localhost/srv/archive", "file:///srv/archive"])
    func `a directory is named by its path or a URL`(prefix: String) throws {
        #expect(try location(["WALG_FILE_PREFIX": prefix]) == "file:///srv/archive")
    }

    @Test func `the folder below the prefix is applied`() throws {
        let location = try location(["WALG_FILE_PREFIX": "/srv/archive", "WALG_STORAGE_PREFIX": "/sub/"])
        #expect(location == "file:///srv/archive/sub")
    }

    @Test(arguments: ["../x", "x/..", "a/../b", "a//b", "a/./b", "/../", "."])
    func `a folder below the prefix that leads elsewhere or nowhere is refused`(folder: String) {
        for storage in [
            ["WALG_FILE_PREFIX": "/a"], Self.keys.merging(["WALG_S3_PREFIX": "s3://b", "AWS_REGION": "r"]) { $1 },
        ] {
            let error = problem(storage.merging(["WALG_STORAGE_PREFIX": folder]) { $1 })
            #expect(
                error?.kind == .invalidValue && error?.subject == "WALG_STORAGE_PREFIX", "\(String(describing: error))")
        }
    }

    @Test func `a backup's requests are tried again for as long as an outage of minutes lasts`() throws {
        let environment = Self.keys.merging(["AWS_REGION": "r"]) { $1 }
        let factory = S3Factory(settings: settings(environment), retryBudget: CommandContext.longRetryBudget)
        let retry = try factory.configuration("s3://bucket/path").retry
        var elapsed = Duration.zero
        var failures = 1
        while let delay = retry.delay(afterFailures: failures, elapsed: elapsed, retryAfter: nil, random: 0.5) {
            elapsed += delay
            failures += 1
        }
        #expect(elapsed > .seconds(880) && elapsed <= .seconds(900))
    }

    @Test func `what is printed for uploads in flight is what the store uses`() throws {
        let settings = settings(Self.keys.merging(["AWS_REGION": "r"]) { $1 })
        let configuration = try S3Factory(settings: settings, retryBudget: .zero).configuration("s3://bucket/path")
        #expect(String(configuration.uploadConcurrency) == settings.entry(.uploadConcurrency)?.value.displayed)
    }

    @Test func `a bucket needs keys and, on AWS, a region`() throws {
        var environment = Self.keys.merging(["WALG_S3_PREFIX": "s3://bucket/some/path/"]) { $1 }
        #expect(problem(environment)?.subject == "AWS_REGION")
        environment["AWS_REGION"] = "eu-west-1"
        #expect(try location(environment) == "s3://bucket/some/path")
        environment["AWS_ACCESS_KEY_ID"] = nil
        environment["AWS_SECRET_ACCESS_KEY"] = nil
        #expect(problem(environment)?.detail.contains("AWS_ACCESS_KEY_ID") == true)
    }

    @Test(
        arguments: [
            ([:], ConfigurationError.Kind.noStorage),
            (["WALG_S3_PREFIX": "s3://b/p", "WALG_FILE_PREFIX": "/a"], .conflict),
            (["WALG_FILE_PREFIX": "relative/path"], .invalidValue),
            (["WALG_S3_PREFIX": "bucket/p", "AWS_REGION": "r"], .invalidValue),
            (["WALG_S3_PREFIX": "s3:///p", "AWS_REGION": "r"], .invalidValue),
        ] as [([String: String], ConfigurationError.Kind)])
    func `a storage that is none, two or misspelt is refused`(
        environment: [String: String], kind: ConfigurationError.Kind
    ) {
        #expect(problem(environment)?.kind == kind)
    }

    @Test func `the settings reach the S3 store`() throws {
        let environment = Self.keys.merging([
            "AWS_ENDPOINT": "http://minio:9000", "AWS_S3_FORCE_PATH_STYLE": "true", "S3_STORAGE_CLASS": "STANDARD_IA",
            "S3_SSE": "aws:kms", "S3_SSE_KMS_ID": "k", "S3_MAX_RETRIES": "3", "WALG_UPLOAD_CONCURRENCY": "7",
            "S3_CA_CERT_FILE": "/ca.pem", "S3_REQUEST_ADDITIONAL_HEADERS": #"[{"X-A":"1"},{"X-B":"2"}]"#,
            "WALS_S3_CONDITIONAL_PUT": "false",
        ]) { $1 }
        let factory = S3Factory(settings: settings(environment), retryBudget: .seconds(9))
        let configuration = try factory.configuration("s3://bucket/path")
        #expect(configuration.endpoint?.description == "http://minio:9000")
        #expect(configuration.region == "us-east-1")
        #expect(configuration.pathStyle)
        #expect(configuration.storageClass == "STANDARD_IA")
        guard case .kms(keyID: "k") = configuration.encryption else {
            Issue.record("no KMS key")
            return
        }
        #expect(configuration.retry == RetryPolicy(maximumAttempts: 4, budget: .seconds(9)))
        #expect(configuration.uploadConcurrency == 7)
        #expect(configuration.certificates == "/ca.pem")
        #expect(configuration.additionalHeaders.map { $0.name + $0.value } == ["X-A1", "X-B2"])
        #expect(!configuration.compatibility.conditionalPut)
    }

    @Test(arguments: [
        ("S3_SSE_C", "hunter2"), ("S3_REQUEST_ADDITIONAL_HEADERS", "hunter2"),
        ("S3_REQUEST_ADDITIONAL_HEADERS", #"{"X A":"hunter2"}"#),
        ("S3_REQUEST_ADDITIONAL_HEADERS", #"{"X-A":"hunter2\n"}"#),
    ])
    func `what the S3 store cannot use is refused without showing it`(name: String, value: String) throws {
        let environment = Self.keys.merging([name: value, "AWS_REGION": "r"]) { $1 }
        let factory = S3Factory(settings: settings(environment), retryBudget: .seconds(9))
        let error = try #require(throws: ConfigurationError.self) { try factory.configuration("s3://bucket/path") }
        #expect(error.subject == name)
        #expect(!error.description.contains("hunter2"))
    }
}
