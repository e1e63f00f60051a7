import Bytes
import Commands
import Glibc
import Repository
import Storage
import TestSupport
import Testing

@Suite struct BackupListOutputTests {
    private typealias Options = BackupListOutput.Options

    /// The recordings of WAL-G's own command that reach the list (others end at the command line).
    static let recordings: [String] = {
        guard let root = SharedMaterial.path("fixtures/walg-outputs") else { return [] }
        let names = (try? FileSystem.names(in: root)) ?? []
        return names.filter { $0.hasPrefix("backup-list-") && $0.contains("--") }
    }()

    private static func text(_ path: String) throws -> String {
        guard try FileSystem.status(path) != nil else { return "" }
        return String(decoding: try FileSystem.contents(path), as: UTF8.self)
    }

    /// Messages of a log in WAL-G's form, without their times.
    private static func messages(_ lines: some Sequence<Substring>) -> [String] {
        lines.map { line in
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            return words.count == 4 ? "\(words[0]) \(words[3])" : String(line)
        }
    }

    private func bucket(of fixture: String, prepare: String, in folder: TemporaryDirectory) async throws -> String {
        let bucket = folder.file("bucket")
        guard fixture != "empty" else {
            try FileSystem.makeDirectory(bucket)
            return bucket
        }
        let source = try #require(SharedMaterial.path("fixtures/walg/\(fixture)"))
        #expect(try await Shell.run(["cp", "-r", "\(source)/bucket", bucket]).exitCode == 0)
        for line in try Self.text("\(source)/mtimes.tsv").split(separator: "\n") {
            let fields = line.split(separator: "\t", maxSplits: 1)
            let time = try #require(Timestamp(rfc3339: fields[0]))
            try FileDescriptor(opening: "\(bucket)/\(fields[1])", O_RDONLY).setModified(time)
        }
        #expect(try await Shell.run(["sh", "-ec", prepare], workingDirectory: bucket).exitCode == 0)
        return bucket
    }

    @Test(.enabled(if: !recordings.isEmpty, "needs ../shared/fixtures/walg-outputs"), arguments: recordings)
    func `the output is WAL-G's, byte for byte`(recording: String) async throws {
        let path = try #require(SharedMaterial.path("fixtures/walg-outputs/\(recording)"))
        let command = try Self.text("\(path)/cmd")
        let options = Options(
            isPretty: command.contains("--pretty"), isJSON: command.contains("--json"),
            isDetailed: command.contains("--detail"))
        let fixture = String(try Self.text("\(path)/bucket").filter { !$0.isNewline })
        let folder = try TemporaryDirectory()
        let bucket = try await bucket(of: fixture, prepare: Self.text("\(path)/prepare"), in: folder)
        let logged = Locked<[String]>([])
        let log = Log(sink: { line in logged.withLock { $0.append(line) } })
        let store = LocalStore(root: bucket)
        let expectedErrors = Self.messages(try Self.text("\(path)/stderr").split(separator: "\n"))
        if try Self.text("\(path)/exit").hasPrefix("1") {
            let error = await #expect(throws: RepositoryError.self) {
                try await BackupListOutput.rows(of: store, options, log: log)
            }
            let object = try #require(error?.object)
            #expect(expectedErrors.last?.contains(object.dropFirst(Layout.backupsFolder.count)) == true)
            return
        }
        let rows = try await BackupListOutput.rows(of: store, options, log: log)
        var output = BackupListOutput.text(rows, options)
        let expected = try Self.text("\(path)/stdout")
        if recording.contains("bad-sentinel") {
            // The damaged sentinel was written when the recording was made, so its time is of no account.
            let written = try #require(rows.last).entry.modified
            output = output.replacing(Timestamp(seconds: written.seconds).rfc3339(), with: "2026-11-24T07:47:04Z")
        }
        #expect(output == expected)
        #expect(Self.messages(logged.withLock { $0 }.map { $0[...] }) == expectedErrors)
    }

    private static func row(_ name: String, _ seconds: Int64, metadata: BackupMetadata? = nil) -> BackupListOutput.Row {
        .init(
            entry: BackupEntry(name: name, modified: Timestamp(seconds: seconds, nanoseconds: 500)), metadata: metadata)
    }

    // The samples of reference/walg.md, section 6.3, for checkouts without the recordings.
    @Test func `a plain list has columns a space apart`() {
        let rows = [
            Self.row("base_000000010000000000000005", 1_787_335_358),
            Self.row("base_000000010000000000000007_D_000000010000000000000005", 1_787_338_958),
        ]
        let expected = """
            backup_name                                              modified             wal_file_name            storage_name
            base_000000010000000000000005                            2026-08-21T18:02:38Z 000000010000000000000005 default
            base_000000010000000000000007_D_000000010000000000000005 2026-08-21T19:02:38Z 000000010000000000000007 default

            """
        #expect(BackupListOutput.text(rows, Options()) == expected)
    }

    @Test func `a pretty list is a box`() {
        let expected = """
            +---+-------------------------------+--------------------------------+--------------------------+--------------+
            | # | BACKUP NAME                   | MODIFIED                       | WAL FILE NAME            | STORAGE NAME |
            +---+-------------------------------+--------------------------------+--------------------------+--------------+
            | 0 | base_000000010000000000000005 | Friday, 21-Aug-26 18:02:38 UTC | 000000010000000000000005 | default      |
            +---+-------------------------------+--------------------------------+--------------------------+--------------+

            """
        let rows = [Self.row("base_000000010000000000000005", 1_787_335_358)]
        #expect(BackupListOutput.text(rows, Options(isPretty: true)) == expected)
    }

    @Test func `JSON keeps the store's nanoseconds and adds the details`() {
        var metadata = BackupMetadata()
        metadata.hostname = "a&b"
        metadata.userData = .object([JSONMember("b", .number("1")), JSONMember("a", .null)])
        let text = BackupListOutput.text(
            [Self.row("x", 1_787_335_358, metadata: metadata)], Options(isJSON: true, isDetailed: true))
        let expected =
            #"[{"backup_name":"x","time":"2026-08-21T18:02:38.0000005Z","wal_file_name":"ZZZZZZZZZZZZZZZZZZZZZZZZ","#
            + #""storage_name":"default","start_time":"0001-01-01T00:00:00Z","finish_time":"0001-01-01T00:00:00Z","#
            + #""date_fmt":"%Y-%m-%dT%H:%M:%S.%fZ","hostname":"a\u0026b","data_dir":"","pg_version":0,"start_lsn":0,"#
            + #""finish_lsn":0,"is_permanent":false,"system_identifier":null,"uncompressed_size":0,"#
            + #""compressed_size":0,"user_data":{"a":null,"b":1}}]"# + "\n"
        #expect(text == expected)
    }

    @Test func `an empty list is nothing, or an empty array`() async throws {
        #expect(BackupListOutput.text([], Options()).isEmpty)
        #expect(BackupListOutput.text([], Options(isPretty: true, isDetailed: true)).isEmpty)
        #expect(BackupListOutput.text([], Options(isJSON: true)) == "[]\n")
        #expect(BackupListOutput.text([], Options(isPretty: true, isJSON: true)) == "[]\n")
    }

    @Test func `details are sorted by start only when every backup has one`() async throws {
        let store = MemoryStore()
        for (name, start) in [("a", 30), ("b", 10), ("c", 20)] as [(String, Int64)] {
            var metadata = BackupMetadata()
            metadata.startTime = Timestamp(seconds: start)
            _ = try await store.put(metadata.encoded(), at: Layout.metadata(name), .create)
            _ = try await store.put(Array("{}".utf8), at: Layout.sentinel(name), .create)
        }
        let options = Options(isDetailed: true)
        let names = try await BackupListOutput.rows(of: store, options, log: .silent).map(\.entry.name)
        #expect(names == ["b", "c", "a"])
        _ = try await store.put(BackupMetadata().encoded(), at: Layout.metadata("b"), .replace)
        let unsorted = try await BackupListOutput.rows(of: store, options, log: .silent).map(\.entry.name)
        #expect(unsorted == ["a", "b", "c"])
    }
}
