package import Bytes
package import Storage

/// Makes the store that the settings describe.
package struct StoreFactory: Sendable {
    private let settings: Settings
    private let log: Log
    /// How long one request may be tried again.
    private let retryBudget: Duration

    package init(settings: Settings, log: Log, retryBudget: Duration = .seconds(50)) {
        self.settings = settings
        self.log = log
        self.retryBudget = retryBudget
    }

    /// The store below its whole prefix.
    ///
    /// - Throws: `ConfigurationError` when no storage is configured, or two are, or a prefix cannot be read.
    package func store() throws -> any ObjectStore {
        let base: any ObjectStore
        switch (settings.text(.s3Prefix), settings.text(.filePrefix)) {
        case (nil, nil):
            throw ConfigurationError(
                .noStorage, subject: "",
                detail: "no storage is configured: set WALG_S3_PREFIX=s3://bucket/path or WALG_FILE_PREFIX=/path "
                    + "in the environment or the configuration file")
        case (.some, .some):
            // WAL-G takes the first of its list; which of two archives is meant should not be guessed.
            throw ConfigurationError(
                .conflict, subject: "WALG_S3_PREFIX",
                detail: "WALG_FILE_PREFIX is set too (\(settings.origin(.filePrefix))): set one of them")
        case (let prefix?, nil):
            base = S3Store(
                try S3Factory(settings: settings, retryBudget: retryBudget).configuration(prefix), log: log)
        case (nil, let prefix?): base = LocalStore(root: try Self.path(prefix))
        }
        guard let folder = settings.text(.storagePrefix) else { return base }
        try Self.checkFolder(folder, of: settings.origin(.storagePrefix).spelling ?? SettingName.storagePrefix.rawValue)
        return PrefixedStore(base, prefix: folder)
    }

    /// Refuses a folder that leads elsewhere or nowhere; slashes around it do not matter.
    private static func checkFolder(_ folder: String, of spelling: String) throws(ConfigurationError) {
        var components = folder.split(separator: "/", omittingEmptySubsequences: false)
        while components.first?.isEmpty == true { components.removeFirst() }
        while components.last?.isEmpty == true { components.removeLast() }
        guard let component = components.first(where: { ["", ".", ".."].contains($0) }) else { return }
        throw ConfigurationError(
            .invalidValue, subject: spelling,
            detail: "\"\(folder)\" is not allowed: "
                + (component.isEmpty ? "it has an empty component" : "it has the component \"\(component)\""))
    }

    /// The directory that `WALG_FILE_PREFIX` names: a path, or a URL of this host.
    static func path(_ prefix: String) throws(ConfigurationError) -> String {
        var path = prefix
        for scheme in ["file://localhost/", "file:///"] where prefix.hasPrefix(scheme) {
            path = "/" + prefix.dropFirst(scheme.utf8.count)
        }
        guard Path.isAbsolute(path) else {
            throw ConfigurationError(
                .invalidValue, subject: "WALG_FILE_PREFIX",
                detail: "\"\(prefix)\" is not allowed: must be an absolute path or file://localhost/path")
        }
        return path
    }
}

extension Settings {
    /// Where the value of a setting comes from.
    package func origin(_ name: SettingName) -> SettingOrigin { entry(name)?.origin ?? .builtIn }
}
