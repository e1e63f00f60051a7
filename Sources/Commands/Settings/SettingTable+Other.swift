extension SettingTable {
    /// What is known so that it is not called unknown.
    static let other: [Setting] = [
        Setting(
            .statsdAddress, .text,
            "Address for metrics.",
            .warned("no metrics are sent in this version")),
        Setting(
            .statsdExtraTags, .text,
            "Tags of metrics.",
            .warned("no metrics are sent in this version")),
        Setting(
            .httpListen, .text,
            "Debug server of WAL-G.",
            .unrelated("WAL-G's debug server")),
        Setting(
            .httpExposePprof, .text,
            "Debug server of WAL-G.",
            .unrelated("WAL-G's debug server")),
        Setting(
            .httpExposeExpvar, .text,
            "Debug server of WAL-G.",
            .unrelated("WAL-G's debug server")),
        Setting(
            .profileSamplingRatio, .text,
            "Profiling of WAL-G.",
            .unrelated("WAL-G's profiling")),
        Setting(
            .profileMode, .text,
            "Profiling of WAL-G.",
            .unrelated("WAL-G's profiling")),
        Setting(
            .profilePath, .text,
            "Profiling of WAL-G.",
            .unrelated("WAL-G's profiling")),
        Setting(
            .goMaxProcs, .text,
            "For programs in Go.",
            .unrelated("for programs in Go")),
        Setting(
            .goDebug, .text,
            "For programs in Go.",
            .unrelated("for programs in Go")),
        Setting(
            .notifySocket, .text,
            "Set by systemd.",
            .unrelated("set by systemd")),
        Setting(
            .streamCreateCommand, .text,
            "For other databases.",
            .unrelated("for other databases")),
        Setting(
            .streamRestoreCommand, .text,
            "For other databases.",
            .unrelated("for other databases")),
        Setting(
            .streamSplitterPartitions, .text,
            "For other databases.",
            .unrelated("for other databases")),
        Setting(
            .streamSplitterBlockSize, .text,
            "For other databases.",
            .unrelated("for other databases")),
        Setting(
            .streamSplitterMaxFileSize, .text,
            "For other databases.",
            .unrelated("for other databases")),
        Setting(
            .gcsPrefix, .text,
            "Store in Google Cloud Storage.",
            .refused("this storage is not available: use WALG_S3_PREFIX or WALG_FILE_PREFIX"), lookup: .prefixed),
        Setting(
            .azurePrefix, .text,
            "Store in Azure.",
            .refused("this storage is not available: use WALG_S3_PREFIX or WALG_FILE_PREFIX"), lookup: .prefixed),
        Setting(
            .ossPrefix, .text,
            "Store in Alibaba OSS.",
            .refused("this storage is not available: use WALG_S3_PREFIX or WALG_FILE_PREFIX"), lookup: .prefixed),
        Setting(
            .swiftPrefix, .text,
            "Store in Swift.",
            .refused("this storage is not available: use WALG_S3_PREFIX or WALG_FILE_PREFIX"), lookup: .prefixed),
        Setting(
            .sshPrefix, .text,
            "Store in SSH.",
            .refused("this storage is not available: use WALG_S3_PREFIX or WALG_FILE_PREFIX"), lookup: .prefixed),
        Setting(
            .gcsContextTimeout, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .gcsNormalizePrefix, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .gcsEncryptionKey, .secret,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .gcsMaxChunkSize, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .gcsMaxRetries, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureStorageAccount, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureStorageAccessKey, .secret,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureStorageSASToken, .secret,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureEndpointSuffix, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureEnvironmentName, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureBufferSize, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .azureMaxBuffers, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .ossAccessKeyID, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .ossAccessKeySecret, .secret,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .ossEndpoint, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .ossRegion, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .sshPort, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .sshUsername, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .sshPassword, .secret,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
        Setting(
            .sshPrivateKeyPath, .text,
            "For a storage that is not available.",
            .unrelated("for a storage that is not available"), lookup: .storage),
    ]
}
