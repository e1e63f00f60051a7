extension SettingTable {
    /// The connection to PostgreSQL.
    static let server: [Setting] = [
        Setting(
            .pgData, .path,
            "The data directory."),
        Setting(
            .pgHost, .text,
            "Host or socket directory of the server. Taken by libpq."),
        Setting(
            .pgHostAddress, .text,
            "Address of the host. Taken by libpq."),
        Setting(
            .pgPort, .text,
            "Port of the server. Taken by libpq."),
        Setting(
            .pgUser, .text,
            "User to connect as. Taken by libpq."),
        Setting(
            .pgPassword, .secret,
            "Password of the user. Taken by libpq."),
        Setting(
            .pgPasswordFile, .path,
            "Password file. Taken by libpq."),
        Setting(
            .pgDatabase, .text,
            "Database to connect to. Taken by libpq."),
        Setting(
            .pgService, .text,
            "Entry in the service file. Taken by libpq."),
        Setting(
            .pgServiceFile, .path,
            "Service file. Taken by libpq."),
        Setting(
            .pgOptions, .text,
            "Options for the session. Taken by libpq."),
        Setting(
            .pgApplicationName, .text, default: "wal-s",
            "Name of the session in the server. Taken by libpq."),
        Setting(
            .pgSSLMode, .choice(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
            "Use of TLS. Taken by libpq."),
        Setting(
            .pgSSLKey, .path,
            "Key of the client. Taken by libpq."),
        Setting(
            .pgSSLCert, .path,
            "Certificate of the client. Taken by libpq."),
        Setting(
            .pgSSLRootCert, .path,
            "Certificates to trust. Taken by libpq."),
        Setting(
            .pgSSLCRL, .path,
            "Revoked certificates. Taken by libpq."),
        Setting(
            .pgConnectTimeout, .integer(0...86400),
            "Seconds to wait for the connection. Taken by libpq."),
        Setting(
            .pgChannelBinding, .choice(["disable", "prefer", "require"]),
            "Channel binding. Taken by libpq."),
        Setting(
            .pgRequireAuth, .text,
            "How the server must ask for the password. Taken by libpq."),
        Setting(
            .pgTargetSessionAttributes, .text,
            "Which server of several to take. Taken by libpq."),
        Setting(
            .pgBackRestStanza, .text, default: "main",
            "Stanza of a pgBackRest repository.",
            .accepted("pgbackrest commands are not available in this version")),
    ]
}
