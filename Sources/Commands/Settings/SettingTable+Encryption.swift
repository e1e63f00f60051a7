extension SettingTable {
    /// Encryption: WAL-G's and those of key services; every one is refused, since without it data would lie in clear.
    static let encryption: [Setting] = [
        Setting(
            .pgpKey, .secret,
            "OpenPGP key ring.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .pgpKeyPath, .path,
            "File with the OpenPGP key ring.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .pgpKeyPassphrase, .secret,
            "Passphrase of the OpenPGP key.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .gpgKeyID, .text,
            "Key of the gpg program.",
            .refused("encryption is not available in this version: data would be stored in clear"), lookup: .prefixed,
            others: ["GPG_KEY_ID"]),
        Setting(
            .libsodiumKey, .secret,
            "Key for libsodium.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .libsodiumKeyPath, .path,
            "File with that key.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .libsodiumKeyTransform, .choice(["none", "hex", "base64"]), default: "none",
            "How that key is spelt.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .cseKMSID, .text,
            "Key of AWS KMS.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .cseKMSRegion, .text,
            "Region of that key.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .yandexKMSKeyID, .text,
            "Key of Yandex KMS.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .yandexServiceAccountKeyFile, .path,
            "Account for Yandex KMS.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .envelopePGPKey, .secret,
            "OpenPGP key sealed by a KMS.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .envelopePGPKeyPath, .path,
            "File with that key.",
            .refused("encryption is not available in this version: data would be stored in clear")),
        Setting(
            .envelopeYandexKeyID, .text,
            "KMS key that seals it.",
            .refused("encryption is not available in this version: data would be stored in clear"),
            others: ["WALG_ENVELOPE_YC_CSE_KMS_KEY_ID"]),
        Setting(
            .envelopeYandexKeyFile, .path,
            "Account for that KMS.",
            .refused("encryption is not available in this version: data would be stored in clear"),
            others: ["WALG_ENVELOPE_YC_SERVICE_ACCOUNT_KEY_FILE"]),
        Setting(
            .envelopeYandexEndpoint, .text,
            "Address of that KMS.",
            .refused("encryption is not available in this version: data would be stored in clear"),
            others: ["WALG_ENVELOPE_YC_ENDPOINT"]),
        Setting(
            .envelopeCacheExpiration, .duration, default: "0",
            "How long the opened key is kept.",
            .refused("encryption is not available in this version: data would be stored in clear")),
    ]
}
