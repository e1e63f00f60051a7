import Bytes
import Storage

/// Makes the configuration of the S3 store out of the settings.
struct S3Factory: Sendable {
    let settings: Settings
    /// How long one request may be tried again.
    let retryBudget: Duration

    /// The configuration for the bucket and prefix of `WALG_S3_PREFIX`.
    func configuration(_ prefix: String) throws(ConfigurationError) -> S3Configuration {
        let place: (bucket: String, prefix: String)
        do throws(StorageError) { place = try S3Configuration.parse(prefixURL: prefix) } catch {
            throw invalid(.s3Prefix, error.detail)
        }
        var configuration = S3Configuration(
            bucket: place.bucket, prefix: place.prefix, region: try region(), endpoint: try endpoint(),
            pathStyle: settings.bool(.forcePathStyle), credentials: try credentials())
        configuration.storageClass = settings.text(.storageClass)
        configuration.encryption = try encryption()
        configuration.additionalHeaders = try additionalHeaders()
        configuration.certificates = settings.text(.caCertFile) ?? settings.text(.caBundle)
        configuration.uploadConcurrency = settings.integer(.uploadConcurrency)
        // Where no number is set, the time alone bounds the attempts: fifteen are over within a minute.
        configuration.retry = RetryPolicy(
            maximumAttempts: settings.integerIfAny(.maxRetries).map { $0 + 1 } ?? .max, budget: retryBudget)
        configuration.compatibility.conditionalPut = settings.bool(.s3ConditionalPut)
        configuration.compatibility.conditionalComplete = settings.bool(.s3ConditionalComplete)
        configuration.compatibility.quotedIfMatch = settings.bool(.s3QuotedIfMatch)
        configuration.compatibility.checksums = settings.bool(.s3Checksums)
        configuration.compatibility.batchDelete = settings.bool(.s3BatchDelete)
        return configuration
    }

    private func region() throws(ConfigurationError) -> String {
        if let region = settings.text(.region) ?? settings.text(.defaultRegion) { return region }
        guard settings.isSet(.endpoint) else {
            throw ConfigurationError(
                .conflict, subject: "AWS_REGION", detail: "is needed for AWS, where AWS_ENDPOINT is not set")
        }
        return "us-east-1"
    }

    private func endpoint() throws(ConfigurationError) -> S3Endpoint? {
        guard let text = settings.text(.endpoint) else { return nil }
        do throws(StorageError) { return try S3Endpoint(parsing: text) } catch {
            throw invalid(.endpoint, error.detail)
        }
    }

    private func credentials() throws(ConfigurationError) -> StaticCredentials {
        guard let key = settings.text(.accessKeyID), let secret = settings.secret(.secretAccessKey) else {
            throw ConfigurationError(
                .conflict, subject: "WALG_S3_PREFIX",
                detail: "credentials are missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        return StaticCredentials(accessKey: key, secretKey: secret, sessionToken: settings.secret(.sessionToken))
    }

    private func encryption() throws(ConfigurationError) -> S3Configuration.Encryption {
        let method = settings.text(.sse)
        if let key = settings.secret(.sseCustomerKey) {
            guard method != "aws:kms" else { throw invalid(.sseCustomerKey, "excludes S3_SSE=aws:kms") }
            guard key.revealed.utf8.count == 32 else {
                throw invalid(.sseCustomerKey, "must be 32 bytes, and has \(key.revealed.utf8.count)")
            }
            return .customer(key: key)
        }
        return switch method {
        case "AES256": .aes256
        case "aws:kms": .kms(keyID: settings.text(.sseKMSID))
        default: .none
        }
    }

    /// A map of names and values, or a list of maps, as JSON; values may be secret and are never shown.
    private func additionalHeaders() throws(ConfigurationError) -> [(name: String, value: String)] {
        guard let text = settings.secret(.requestAdditionalHeaders)?.revealed else { return [] }
        let refusal = invalid(
            .requestAdditionalHeaders, "must be a JSON map of header names and values, or a list of such maps")
        guard let value = try? JSONValue.parse(Array(text.utf8)) else { throw refusal }
        var headers: [(name: String, value: String)] = []
        for map in value.array ?? [value] {
            guard let members = map.object else { throw refusal }
            for member in members {
                let isName = member.name.utf8.allSatisfy { byte in
                    (0x21...0x7E).contains(byte) && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
                }
                guard let value = member.value.string, !member.name.isEmpty, isName,
                    value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
                else { throw refusal }
                headers.append((member.name, value))
            }
        }
        return headers
    }

    private func invalid(_ name: SettingName, _ detail: String) -> ConfigurationError {
        ConfigurationError(
            .invalidValue, subject: settings.origin(name).spelling ?? name.rawValue, detail: detail)
    }
}
