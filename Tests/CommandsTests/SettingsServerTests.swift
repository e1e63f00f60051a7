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

    @Test func `what libpq reads itself is left to it, a service's rank included`() {
        let connection = load(
            ["PGHOST": "/tmp", "PGUSER": "me", "PGPASSWORD": "x", "PGSERVICE": "s", "PGSERVICEFILE": "/f"],
            [("PGPORT", "5433"), ("PGCONNECT_TIMEOUT", "7"), ("PGDATA", "/d")]
        ).connection()
        #expect(connection == ConnectionSettings(parameters: ["port": "5433", "connect_timeout": "7"]))
    }

    @Test func `what the file says is told as the environment would`() throws {
        let directory = try TemporaryDirectory()
        let text = #"{"PGHOST":"/run","PGSERVICE":"s","PGSERVICEFILE":"/f","PGPASSWORD":"hunter2","PGPORT":5433}"#
        let path = try directory.write(Array(text.utf8), to: "c.json")
        let connection = SettingsLoader.load(
            flags: [], environment: ["PGPORT": "5434"], configPath: path, home: nil
        ).connection()
        var expected = ConnectionSettings()
        expected.variables = [
            "PGHOST": Secret("/run"), "PGSERVICE": Secret("s"), "PGSERVICEFILE": Secret("/f"),
            "PGPASSWORD": Secret("hunter2"),
        ]
        #expect(connection == expected)
        #expect(!"\(connection)".contains("hunter2"))
    }

    @Test func `the password may come from a file`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array("hunter2\n".utf8), to: "secret")
        let connection = load(["PGPASSWORD_FILE": path], []).connection()
        #expect(connection.variables == ["PGPASSWORD": Secret("hunter2")])
        #expect(load([:], [("PGPASSWORD_FILE", path)]).connection().password == Secret("hunter2"))
    }

    @Test func `the service file may be a flag, which libpq is told by its variable`() {
        let connection = load(["PGSERVICEFILE": "/other"], [("PGSERVICEFILE", "/f"), ("PGSERVICE", "s")]).connection()
        #expect(connection.variables == ["PGSERVICEFILE": Secret("/f")])
        #expect(connection.parameters == ["service": "s"])
    }
}
