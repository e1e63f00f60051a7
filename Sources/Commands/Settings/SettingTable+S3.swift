extension SettingTable {
    /// The S3 client: WAL-G's names and the AWS SDK's.
    static let s3: [Setting] = [
        Setting(
            .accessKeyID, .text,
            "Access key.", lookup: .storage, others: ["AWS_ACCESS_KEY"]),
        Setting(
            .secretAccessKey, .secret,
            "Secret key.", lookup: .storage, others: ["AWS_SECRET_KEY"]),
        Setting(
            .sessionToken, .secret,
            "Token of temporary credentials.", lookup: .storage),
        Setting(
            .region, .text,
            "Region of the bucket.", lookup: .storage),
        Setting(
            .defaultRegion, .text,
            "Region where AWS_REGION is not set.", lookup: .storage),
        Setting(
            .endpoint, .url,
            "Address of the store: https://host[:port]; AWS when not set.", lookup: .storage,
            others: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
        Setting(
            .forcePathStyle, .bool, default: "false",
            "Put the bucket into the path, not the host name.", lookup: .storage),
        Setting(
            .caCertFile, .path,
            "Certificates to trust (PEM). The system's are trusted besides where libcurl finds them in a directory "
                + "(Debian, Ubuntu); elsewhere put those that are needed into this file too.",
            lookup: .storage),
        Setting(
            .storageClass, .text,
            "Storage class of new objects; the bucket's own when not set.", lookup: .storage),
        Setting(
            .sse, .choice(["AES256", "aws:kms"]),
            "Encryption by the server.", lookup: .storage),
        Setting(
            .sseCustomerKey, .secret,
            "Key for encryption by the server, 32 bytes.", lookup: .storage),
        Setting(
            .sseKMSID, .text,
            "KMS key for S3_SSE=aws:kms.", lookup: .storage),
        Setting(
            .maxPartSize, .byteCount(5_242_880...5_368_709_120), default: "20971520",
            "Bytes of a part of a multipart upload; backup-push chooses 5 to 16 MiB by the memory limit when not set.",
            lookup: .storage),
        Setting(
            .maxRetries, .integer(0...1_000_000),
            "How often a request is tried again, at most; when not set, as often as its time allows: 15 minutes for "
                + "backup-push and backup-fetch, most of the deadline for wal-push and wal-fetch, 50 s for the rest.",
            lookup: .storage),
        Setting(
            .minThrottlingRetryDelay, .milliseconds, default: "500",
            "Least pause after throttling.",
            .accepted("pauses follow the store's answers and the time budget"), lookup: .storage),
        Setting(
            .maxThrottlingRetryDelay, .milliseconds, default: "300000",
            "Longest pause after throttling.",
            .accepted("pauses follow the store's answers and the time budget"), lookup: .storage),
        Setting(
            .useListObjectsV1, .bool, default: "false",
            "List by the old request.",
            .refused("only ListObjectsV2 is available in this version"), lookup: .storage),
        Setting(
            .rangeBatchEnabled, .bool, default: "false",
            "Resume broken downloads.",
            .accepted("broken downloads are always resumed"), harmless: ["true"], lookup: .storage),
        Setting(
            .rangeMaxRetries, .integer(0...1_000_000), default: "10",
            "How often a download is resumed.",
            .accepted("broken downloads are resumed within the time budget"), lookup: .storage),
        Setting(
            .endpointSource, .url,
            "Where to ask for the address of the store.",
            .refused("endpoint discovery is not available in this version"), lookup: .storage),
        Setting(
            .endpointPort, .integer(1...65535), default: "443",
            "Port for that address.",
            .accepted("endpoint discovery is not available in this version"), lookup: .storage),
        Setting(
            .endpointProtocol, .choice(["http", "https"]),
            "Protocol for that address.",
            .accepted("endpoint discovery is not available in this version"), lookup: .storage),
        Setting(
            .requestAdditionalHeaders, .secret,
            "Headers for each request, a map.", lookup: .storage),
        Setting(
            .skipValidation, .bool, default: "true",
            "Do without a trial request at the start.",
            .accepted("the first real request tells"), lookup: .storage),
        Setting(
            .s3LogLevel, .text,
            "Log of requests.",
            .accepted("requests are logged by WALG_LOG_LEVEL=DEVEL, without secrets"), lookup: .storage),
        Setting(
            .retentionPeriod, .integer(-1...10_000_000_000), default: "-1",
            "Object lock, in seconds.",
            .refused("object lock is not available in this version: objects would be stored unprotected"),
            lookup: .storage),
        Setting(
            .retentionMode, .choice(["GOVERNANCE", "COMPLIANCE"]), default: "GOVERNANCE",
            "Mode of that lock.",
            .refused("object lock is not available in this version: objects would be stored unprotected"),
            lookup: .storage),
        Setting(
            .disable100Continue, .bool, default: "false",
            "Send no Expect header.",
            .accepted("no Expect header is sent"), harmless: ["true"], lookup: .storage),
        Setting(
            .enableVersioning, .choice(["enabled", "disabled"]),
            "Whether the bucket keeps versions.",
            .accepted("this version deletes nothing that versions would matter to"), harmless: ["disabled"],
            lookup: .storage),
        Setting(
            .deleteBatchSize, .integer(1...1000), default: "1000",
            "Keys in one delete request.",
            .accepted("deletes go in batches of 1000"), lookup: .storage),
        Setting(
            .useYandexSessionToken, .bool, default: "false",
            "Take credentials from Yandex Cloud.",
            .refused("credentials from Yandex Cloud are not available in this version"), lookup: .storage),
        Setting(
            .dualStack, .bool, default: "false",
            "Use the IPv6 address of AWS.",
            .refused("give the address with AWS_ENDPOINT instead"), lookup: .storage,
            others: ["AWS_USE_DUALSTACK_ENDPOINT"]),
        Setting(
            .roleARN, .text,
            "Role to take on.",
            .refused("roles are not available in this version: give the keys of the role"), lookup: .storage),
        Setting(
            .roleSessionName, .text,
            "Name of the session of that role.",
            .accepted(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .webIdentityTokenFile, .path,
            "Token for that role.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .profile, .text,
            "Profile in the credentials file.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .configFile, .path,
            "AWS configuration file.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .sharedCredentialsFile, .path,
            "AWS credentials file.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .caBundle, .path,
            "As S3_CA_CERT_FILE, where that is not set.", lookup: .storage),
        Setting(
            .containerCredentialsRelativeURI, .text,
            "Credentials of a container.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .containerCredentialsFullURI, .text,
            "Credentials of a container.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .containerAuthorizationToken, .secret,
            "Credentials of a container.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .containerAuthorizationTokenFile, .path,
            "Credentials of a container.",
            .warned(
                "only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) are used in this version"),
            lookup: .storage),
        Setting(
            .ec2MetadataDisabled, .bool, default: "false",
            "Ask no instance for credentials.",
            .accepted("no instance is asked"), harmless: ["true"], lookup: .storage),
        Setting(
            .ec2MetadataEndpoint, .url,
            "Address of the instance metadata.",
            .accepted("no instance is asked"), lookup: .storage),
        Setting(
            .awsMaxAttempts, .integer(0...1_000_000),
            "How often the SDK tries.",
            .accepted("S3_MAX_RETRIES and the deadlines rule"), lookup: .storage),
        Setting(
            .awsRetryMode, .choice(["legacy", "standard", "adaptive"]),
            "How the SDK tries again.",
            .accepted("S3_MAX_RETRIES and the deadlines rule"), lookup: .storage),
        Setting(
            .useFIPSEndpoint, .bool, default: "false",
            "Use the FIPS address of AWS.",
            .refused("give the address with AWS_ENDPOINT instead"), lookup: .storage),
        Setting(
            .requestChecksumCalculation, .text,
            "When the SDK sends checksums.",
            .accepted("checksums are always sent"), lookup: .storage),
        Setting(
            .responseChecksumValidation, .text,
            "When the SDK checks checksums.",
            .accepted("contents are always checked"), lookup: .storage),
    ]
}
