import Bytes
internal import CPq
import Glibc

/// One session with the server, through libpq.
///
/// Not Sendable: it stays with the actor or the task that opened it, on a thread that may block. Statements are sent
/// without blocking and awaited with `poll`, so that a cancelled task or a deadline ends them.
package final class Connection {
    private let session: OpaquePointer
    /// The database that the session is in.
    package let database: String

    /// Connects and makes the session fit for long work: no timeouts of the server's, `search_path` without surprises.
    package init(_ settings: ConnectionSettings, database: String? = nil) throws(ServerError) {
        // The environment is the only way to give libpq something that a service outranks, or the service file.
        for (name, value) in settings.variables { setenv(name, value.revealed, 1) }
        var parameters = settings.parameters.filter { !$0.value.isEmpty }
        if let password = settings.password, !password.revealed.isEmpty { parameters["password"] = password.revealed }
        parameters["fallback_application_name"] = settings.applicationName
        if let database { parameters["dbname"] = database }
        let defaults = Self.defaults()
        if parameters["connect_timeout"] == nil, defaults["connect_timeout"] == nil {
            parameters["connect_timeout"] = String(settings.connectTimeout)
        }
        if parameters["dbname"] == nil, parameters["service"] == nil, defaults["dbname"] == nil,
            defaults["service"] == nil
        {
            parameters["dbname"] = "postgres"
        }
        let session = try Self.connect(parameters)
        self.session = session
        self.database = String(cString: PQdb(session))
        // Notices ("WAL archiving is not enabled", "backup_stop still waiting") would go to standard error.
        PQsetNoticeReceiver(session, { _, _ in }, nil)
        try prepare()
    }

    deinit { PQfinish(session) }

    /// What libpq would use where a parameter is not given: from the environment.
    private static func defaults() -> [String: String] {
        var values: [String: String] = [:]
        guard let options = PQconndefaults() else { return values }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val, value[0] != 0 {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return values
    }

    private static func connect(_ parameters: [String: String]) throws(ServerError) -> OpaquePointer {
        let ordered = parameters.sorted { $0.key < $1.key }
        let keywords = ordered.map { strdup($0.key) }
        let values = ordered.map { strdup($0.value) }
        defer { for text in keywords + values { free(text) } }
        let session = PQconnectdbParams(
            keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
        guard let session else {
            throw ServerError(.connectionFailed, operation: "connecting to PostgreSQL", message: "out of memory")
        }
        guard PQstatus(session) == CONNECTION_OK else {
            let message = trimmed(PQerrorMessage(session))
            PQfinish(session)
            throw ServerError(
                .connectionFailed, operation: "connecting to PostgreSQL", message: message,
                hint: "check that the server runs and PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSFILE")
        }
        return session
    }

    private func prepare() throws(ServerError) {
        let version = Int(PQserverVersion(session))
        guard version >= 130_000 else {
            throw ServerError(
                .unexpectedAnswer, operation: "connecting to PostgreSQL",
                message: "the server's version is \(version); 13 or later is needed")
        }
        var settings = [
            "statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0",
            "client_encoding = 'UTF8'", "datestyle = 'ISO'", "search_path = pg_catalog",
            "client_min_messages = 'error'",
        ]
        if version >= 140_000 {
            // A backend that waits for the archive would else not notice that its client was killed, and stay.
            settings += ["idle_session_timeout = 0", "client_connection_check_interval = '5s'"]
        }
        for setting in settings { try query("SET \(setting)", operation: "preparing the session") }
    }

    /// The server's `server_version_num`.
    package var version: Int { Int(PQserverVersion(session)) }

    /// Runs one statement and returns its rows as text, nil for NULL.
    ///
    /// `whileWaiting` is called about once a second, with the time waited so far. The statement is cancelled when the
    /// task is, unless `despiteCancellation`, or when `deadline` has passed.
    @discardableResult
    package func query(
        _ statement: String, _ parameters: [String?] = [], operation: String, deadline: Duration? = nil,
        despiteCancellation: Bool = false, whileWaiting: (Duration) -> Void = { _ in }
    ) throws(ServerError) -> [[String?]] {
        try send(statement, parameters, operation)
        let clock = ContinuousClock()
        let begin = clock.now
        var stopped: (kind: ServerError.Kind, at: Duration)?
        var reported = Duration.zero
        while PQisBusy(session) == 1 {
            let waited = begin.duration(to: clock.now)
            if let at = stopped?.at {
                // The interrupt was sent; a server that is out of reach will not answer it.
                if waited > at + .seconds(10) { break }
            } else if let deadline, waited > deadline {
                stopped = (.timedOut, waited)
                interrupt()
            } else if !despiteCancellation, Task.isCancelled {
                stopped = (.cancelled, waited)
                interrupt()
            }
            try waitForInput(operation)
            if waited - reported >= .seconds(1) {
                whileWaiting(waited)
                reported = waited
            }
        }
        if let stopped, PQisBusy(session) == 1 {
            throw ServerError(stopped.kind, operation: operation, message: "the server does not answer")
        }
        do throws(ServerError) {
            return try collect(operation)
        } catch  where error.sqlState == "57014" && stopped != nil {
            throw ServerError(
                stopped?.kind ?? .cancelled, operation: operation, sqlState: error.sqlState,
                message: stopped?.kind == .timedOut ? "it took longer than allowed" : "interrupted")
        }
    }

    private func send(_ statement: String, _ parameters: [String?], _ operation: String) throws(ServerError) {
        let texts = parameters.map { $0.map { strdup($0) } ?? nil }
        defer { for text in texts { free(text) } }
        let sent = PQsendQueryParams(
            session, statement, CInt(texts.count), nil, texts.map { UnsafePointer($0) }, nil, nil, 0)
        guard sent == 1 else { throw failure(operation) }
        while true {
            let status = PQflush(session)
            if status == 0 { return }
            guard status == 1 else { throw failure(operation) }
            var waiting = pollfd(fd: PQsocket(session), events: Int16(POLLIN | POLLOUT), revents: 0)
            _ = poll(&waiting, 1, 250)
            if waiting.revents & Int16(POLLIN) != 0 { PQconsumeInput(session) }
        }
    }

    private func waitForInput(_ operation: String) throws(ServerError) {
        var waiting = pollfd(fd: PQsocket(session), events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, 250)
        guard ready > 0 else { return }
        guard PQconsumeInput(session) == 1 else { throw failure(operation) }
    }

    /// Asks the server to stop the statement that runs.
    private func interrupt() {
        guard let handle = PQgetCancel(session) else { return }
        defer { PQfreeCancel(handle) }
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(handle, &message, 256)
    }

    private func failure(_ operation: String) -> ServerError {
        let lost = PQstatus(session) != CONNECTION_OK
        return ServerError(
            lost ? .connectionLost : .unexpectedAnswer, operation: operation,
            message: Self.trimmed(PQerrorMessage(session)))
    }

    private func collect(_ operation: String) throws(ServerError) -> [[String?]] {
        var rows: [[String?]] = []
        var refusal: ServerError?
        while let result = PQgetResult(session) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK: rows += Self.rows(of: result)
            default: refusal = refusal ?? refused(result, operation)
            }
        }
        if let refusal { throw refusal }
        return rows
    }

    private func refused(_ result: OpaquePointer, _ operation: String) -> ServerError {
        func field(_ code: String) -> String? {
            guard let scalar = code.unicodeScalars.first, let text = PQresultErrorField(result, CInt(scalar.value))
            else { return nil }
            return String(cString: text)
        }
        let state = field("C")
        // Class 57P: the server is going away; without a code, libpq itself says that the connection is gone.
        let lost = PQstatus(session) != CONNECTION_OK
        return ServerError(
            lost ? .connectionLost : .refused, operation: operation, sqlState: state,
            message: field("M") ?? Self.trimmed(PQresultErrorMessage(result)), hint: field("H"))
    }

    private static func rows(of result: OpaquePointer) -> [[String?]] {
        let columns = PQnfields(result)
        return (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                    return nil
                }
                return String(cString: value)
            }
        }
    }

    private static func trimmed(_ message: UnsafePointer<CChar>?) -> String {
        guard let message else { return "no reason given" }
        let lines = String(cString: message).split(separator: "\n").map { line in
            var text = line.drop { $0 == " " || $0 == "\t" }
            while text.last == " " { text.removeLast() }
            return String(text)
        }
        return lines.isEmpty ? "no reason given" : lines.joined(separator: "; ")
    }
}
