package import Bytes

/// How to reach the server: libpq's own parameters, where they are set in our settings.
///
/// What is not given here, libpq takes from the environment (`PGHOST`, `PGUSER`, `PGPASSFILE`, ...), the service file
/// and its defaults.
package struct ConnectionSettings: Equatable, Sendable {
    /// libpq keywords and values, for example `host` and `/tmp`; empty values count as not given.
    package var parameters: [String: String]
    package var password: Secret?
    /// Environment variables to be set for libpq, which ranks them below a service's entries.
    package var variables: [String: Secret] = [:]
    /// The name shown in `pg_stat_activity` when `PGAPPNAME` does not say another.
    package var applicationName: String
    /// Seconds an attempt to connect may take, when neither the parameters nor the environment say.
    package var connectTimeout: Int

    package init(
        parameters: [String: String] = [:], password: Secret? = nil, applicationName: String = "wal-s",
        connectTimeout: Int = 10
    ) {
        self.parameters = parameters
        self.password = password
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
    }

    /// The libpq keyword of an environment variable (PostgreSQL documentation, 34.15); nil for one libpq has not.
    package static func keyword(ofVariable name: String) -> String? { keywords[name] }

    private static let keywords: [String: String] = [
        "PGHOST": "host", "PGHOSTADDR": "hostaddr", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "user",
        "PGPASSWORD": "password", "PGPASSFILE": "passfile", "PGSERVICE": "service", "PGOPTIONS": "options",
        "PGAPPNAME": "application_name", "PGSSLMODE": "sslmode", "PGSSLCERT": "sslcert", "PGSSLKEY": "sslkey",
        "PGSSLROOTCERT": "sslrootcert", "PGSSLCRL": "sslcrl", "PGCONNECT_TIMEOUT": "connect_timeout",
        "PGCHANNELBINDING": "channel_binding", "PGKRBSRVNAME": "krbsrvname", "PGGSSENCMODE": "gssencmode",
        "PGTARGETSESSIONATTRS": "target_session_attrs", "PGREQUIREAUTH": "require_auth",
    ]
}
