import Bytes
import Storage

/// Makes the S3 store that the settings describe.
struct S3Factory: Sendable {
    let settings: Settings
    let log: Log

    func store(_ prefix: String) throws -> any ObjectStore {
        throw ConfigurationError(.notAvailable, subject: "WALG_S3_PREFIX", detail: "S3 is not built into this version")
    }
}
