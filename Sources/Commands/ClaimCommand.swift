import Archiver
import Bytes
import Postgres
import Storage

/// `wal-s claim`: whose archive it is, and giving it to another cluster.
enum ClaimCommand {
    static func run(_ context: CommandContext) async throws {
        let store = try context.openStore()
        let claims = ClaimGuard(store: store, state: context.localState(for: store), log: context.log)
        let directory = context.argument(0) ?? context.settings.text(.pgData)
        let control = directory.flatMap { LocalCluster.controlFile(in: $0) }
        do {
            try context.print(described(try await claims.owner(), store.location) + "\n")
        } catch let error as ArchiverError where error.kind == .corrupted && context.has(.confirm) {
            // What cannot be read is about to be replaced.
            context.log.warning("\(error)")
        }
        if let directory {
            guard let control else {
                throw ArchiverError(
                    .configuration, "\(directory): no data directory that can be read (global/pg_control)")
            }
            try context.print("this cluster: \(control.systemIdentifier)\n")
        }
        guard context.has(.confirm) else { return }
        guard let control else {
            throw ArchiverError(
                .usage, "claim --confirm needs the data directory of the cluster that is to own the archive")
        }
        try await claims.change(to: control.systemIdentifier)
        try context.print("\(store.location) now belongs to \(control.systemIdentifier)\n")
    }

    private static func described(_ owner: ClaimGuard.Owner, _ location: String) -> String {
        switch owner {
        case .claim(let identifier): "\(location) belongs to \(identifier)"
        case .backup(let identifier, let name): "\(location) belongs to \(identifier), by its backup \(name)"
        case .wal(let identifier, let name): "\(location) belongs to \(identifier), by its WAL segment \(name)"
        case .nobody: "\(location) belongs to nobody yet"
        }
    }
}
