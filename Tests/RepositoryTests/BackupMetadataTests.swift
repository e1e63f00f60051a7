import Bytes
import Postgres
import Repository
import Testing

@Suite struct BackupMetadataTests {
    /// WAL-G 3.0.9.
    static let golden =
        #"{"start_time":"2026-11-24T07:48:21.977746Z","finish_time":"2026-11-24T07:48:32.144398Z","#
        + #""date_fmt":"%Y-%m-%dT%H:%M:%S.%fZ","hostname":"pg1","data_dir":"/var/tmp/walg-fixture/main","#
        + #""pg_version":150020,"start_lsn":11534376,"finish_lsn":11534648,"is_permanent":true,"#
        + #""system_identifier":7711641534455508672,"uncompressed_size":8829163,"compressed_size":1096197,"#
        + #""user_data":{"job":"nightly","n":1}}"#

    @Test func `what WAL-G wrote is read and written again byte for byte`() throws {
        let metadata = try BackupMetadata(parsing: Array(Self.golden.utf8), object: "m")
        #expect(metadata.startTime.rfc3339() == "2026-11-24T07:48:21.977746Z")
        #expect(metadata.startLSN == LSN(11_534_376))
        #expect(metadata.isPermanent)
        #expect(metadata.systemIdentifier == 7_711_641_534_455_508_672)
        #expect(String(decoding: metadata.encoded(), as: UTF8.self) == Self.golden)
    }

    @Test func `without an identifier it is written as null, and times that are not set as Go's`() throws {
        let text = String(decoding: BackupMetadata().encoded(), as: UTF8.self)
        #expect(text.contains(#""system_identifier":null"#))
        #expect(text.hasPrefix(#"{"start_time":"0001-01-01T00:00:00Z","#))
        #expect(try BackupMetadata(parsing: Array(text.utf8), object: "m") == BackupMetadata())
    }

    @Test(arguments: [
        (#"{"start_lsn":"0/1"}"#, "start_lsn", "an integer from 0 to 18446744073709551615 expected, '0/1' found"),
        (#"{"is_permanent":1}"#, "is_permanent", "true or false expected, 1 found"),
        ("{\n", "", "JSON at byte 2: the document ends too early"), ("3", "", "an object expected, 3 found"),
    ])
    func `a wrong document is refused with its member`(text: String, member: String, detail: String) {
        let expected = RepositoryError(.damaged, object: "m", member: member, detail: detail)
        #expect(throws: expected) { try BackupMetadata(parsing: Array(text.utf8), object: "m") }
        let place = member.isEmpty ? "m: " : "m, member \(member): "
        #expect(expected.description == place + detail)
    }

    @Test func `every prefix is refused and every flip of a bit is metadata or an error`() {
        let text = Array(Self.golden.utf8)
        for count in text.indices {
            #expect(throws: RepositoryError.self) { try BackupMetadata(parsing: Array(text[..<count]), object: "m") }
        }
        for index in text.indices {
            for bit in 0..<8 {
                var broken = text
                broken[index] ^= 1 << UInt8(bit)
                _ = try? BackupMetadata(parsing: broken, object: "m")
            }
        }
    }
}
