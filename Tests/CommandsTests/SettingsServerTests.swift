import Bytes
import Server
import TestSupport
import Testing

@testable import Commands

@Suite struct SettingsServerTests {
    private func load(_ environment: [String: String], _ flags: [(String, String)]) -> Settings {
        SettingsLoader.load(
            flags: flags.map { SettingFlag(flag: "--x", spelling: $0.0, value: $0.1) }, environment: environment,
            configPath: nil, home: nil)
    }

    @Test func `what libpq reads itself is left to it`() throws {
        let connection = try load(
            ["PGHOST": "/tmp", "PGUSER": "me"], [("PGPORT", "5433"), ("PGCONNECT_TIMEOUT", "7"), ("PGDATA", "/d")]
        ).connection()
        #expect(connection.parameters == ["port": "5433", "connect_timeout": "7"])
        #expect(connection.password == nil)
    }

    @Test func `the password may come from a file`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array("hunter2\n".utf8), to: "secret")
        let connection = try load(["PGPASSWORD_FILE": path], []).connection()
        #expect(connection.password == Secret("hunter2"))
        #expect(!"\(connection)".contains("hunter2"))
    }

    @Test func `what only the environment can say is refused elsewhere`() {
        #expect(
            throws: ConfigurationError(
                .conflict, subject: "PGSERVICEFILE",
                detail: "is taken from the environment only, and is set by flag --x")
        ) { try load([:], [("PGSERVICEFILE", "/f")]).connection() }
    }
}
