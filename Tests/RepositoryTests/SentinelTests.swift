import Bytes
import Postgres
import Repository
import Testing

@Suite struct SentinelTests {
    static let object = "basebackups_005/b_backup_stop_sentinel.json"

    /// The first is WAL-G 3.0.9's own, the second has every member there is, after its source.
    static let golden: [String] = [
        #"{"LSN":50331688,"PgVersion":150020,"FinishLSN":50331904,"SystemIdentifier":7711650758694438255,"UncompressedSize":8993792,"CompressedSize":1121637,"Spec":{"16398":{"loc":"/var/tmp/walg-fixture/ts1","link":"pg_tblspc/16398"},"base_prefix":"/var/tmp/walg-fixture/main","tablespaces":["16398"]},"ChkpNum":null,"Version":2,"StartTime":"2026-11-24T08:23:58.654666Z","FinishTime":"2026-11-24T08:24:15.377499Z","DateFmt":"%Y-%m-%dT%H:%M:%S.%fZ","Hostname":"pg1","DataDir":"/var/tmp/walg-fixture/main","IsPermanent":false}"#,
        #"{"LSN":150994984,"DeltaLSN":100663336,"DeltaFrom":"base_000000010000000000000006_D_000000010000000000000003","DeltaFullName":"base_000000010000000000000003","DeltaCount":2,"PgVersion":130016,"FinishLSN":150995200,"SystemIdentifier":18446744073709551615,"UncompressedSize":582514,"CompressedSize":167979,"DataCatalogSize":9689103,"UserData":{"a":[1,2.5,null,true],"b":"\u003c"},"FilesMetadataDisabled":true,"ChkpNum":7,"DeltaChkpNum":6,"Version":2,"StartTime":"2026-11-24T08:23:48.834039Z","FinishTime":"2026-11-24T08:24:03.8Z","DateFmt":"%Y-%m-%dT%H:%M:%S.%fZ","Hostname":"","DataDir":"","IsPermanent":true}"#,
    ]

    private static func read(_ text: String) throws(RepositoryError) -> Sentinel {
        try Sentinel(parsing: Array(text.utf8), object: object)
    }

    @Test(arguments: golden)
    func `what WAL-G wrote is written again byte for byte`(text: String) throws {
        #expect(String(decoding: try Self.read(text).encoded(), as: UTF8.self) == text)
    }

    @Test func `every member is read`() throws {
        let sentinel = try Self.read(Self.golden[1])
        #expect(sentinel.startLSN == LSN(150_994_984))
        #expect(sentinel.finishLSN == LSN(150_995_200))
        #expect(sentinel.systemIdentifier == .max)
        #expect(sentinel.delta?.lsn == LSN(100_663_336))
        #expect(sentinel.delta?.parent.description == "base_000000010000000000000006_D_000000010000000000000003")
        #expect(sentinel.delta?.full.description == "base_000000010000000000000003")
        #expect(sentinel.delta?.count == 2)
        #expect(sentinel.delta?.checkpointNumber == 6)
        #expect(sentinel.checkpointNumber == 7)
        #expect(sentinel.isDelta && sentinel.isFilesMetadataDisabled && sentinel.isPermanent)
        #expect(sentinel.finishTime.rfc3339() == "2026-11-24T08:24:03.8Z")
        #expect(sentinel.embeddedFiles == nil)
        #expect(sentinel.integrity == nil)
    }

    @Test func `our member follows WAL-G's and comes back`() throws {
        var sentinel = try Self.read(Self.golden[0])
        let segment = try #require(WALSegmentName("000000010000000000000003"))
        let digest = [UInt8](repeating: 0xAB, count: 32)
        sentinel.integrity = BackupIntegrity(
            tool: "wal-s 0.1",
            objects: [.init(name: "tar_partitions/part_001.tar.lz4", byteCount: 1_121_637, sha256: digest)],
            walRange: .init(first: segment, last: segment), encryption: .init(scheme: "tink", keyID: "k1"))
        let member =
            #","WALS":{"version":1,"tool":"wal-s 0.1","objects":[{"name":"tar_partitions/part_001.tar.lz4","#
            + #""size":1121637,"sha256":""# + String(repeating: "ab", count: 32)
            + #""}],"walRange":{"first":"000000010000000000000003","last":"000000010000000000000003"},"#
            + #""encryption":{"scheme":"tink","keyID":"k1"}}}"#
        let encoded = sentinel.encoded()
        #expect(String(decoding: encoded, as: UTF8.self) == Self.golden[0].dropLast() + member)
        #expect(try Sentinel(parsing: encoded, object: Self.object) == sentinel)
    }

    @Test func `version 1 has its files inside and may say DeltaFromLSN`() throws {
        let sentinel = try Self.read(
            """
            {"LSN":83886120,"DeltaFromLSN":67108904,"DeltaFrom":"base_000000010000000000000004",
            "DeltaFullName":"base_000000010000000000000004","DeltaCount":1,"PgVersion":90600,"FinishLSN":83886416,
            "Files":{"/PG_VERSION":{"IsIncremented":false,"IsSkipped":true,"MTime":"2020-01-02T03:04:05.000000006+03:00"}},
            "TarFileSets":{"part_1.tar.lz4":["/PG_VERSION"]}}
            """)
        #expect(sentinel.version == 0)
        #expect(sentinel.delta?.lsn == LSN(67_108_904))
        #expect(sentinel.systemIdentifier == nil)
        let files = try #require(sentinel.embeddedFiles)
        #expect(files.files["/PG_VERSION"]?.isSkipped == true)
        #expect(files.files["/PG_VERSION"]?.modified.description == "2020-01-02T03:04:05.000000006+03:00")
        #expect(files.tarFileSets == ["part_1.tar.lz4": ["/PG_VERSION"]])
    }

    @Test func `WAL-E's sentinel has a lower-case spec and no LSN`() throws {
        let sentinel = try Self.read(
            """
            {"wal_segment_backup_stop": "000000010000000000000003", "expanded_size_bytes": 12,
            "wal_segment_offset_backup_stop": "00000130", "spec": {"base_prefix": "/pg/", "tablespaces": ["16404"],
            "16404": {"loc": "/ts/", "link": "pg_tblspc/16404"}}}
            """)
        #expect(sentinel.startLSN == nil)
        #expect(!sentinel.isDelta)
        let spec = TablespaceSpec(basePrefix: "/pg", tablespaces: [.init(name: "16404", location: "/ts")])
        #expect(sentinel.tablespaces == spec)
    }

    private static let noInteger = "an integer from 0 to 18446744073709551615 expected,"
    private static let delta = #"{"DeltaFrom":"base_000000010000000000000005","DeltaLSN":1,"DeltaFullName":"#

    @Test(arguments: [
        (#"{"DeltaFrom":"base_000000010000000000000005"}"#, "DeltaLSN", "is missing"),
        (#"{"DeltaFrom":"base_000000010000000000000005","DeltaLSN":1}"#, "DeltaFullName", "is missing"),
        (delta + #""y"}"#, "DeltaCount", "is missing"),
        (delta + #""y","DeltaCount":0}"#, "DeltaCount", "a delta cannot be number 0"),
        (delta + #""../y","DeltaCount":1}"#, "DeltaFullName", "'../y' is not the name of a backup"),
        (
            #"{"DeltaFrom":"","DeltaLSN":1,"DeltaFullName":"y","DeltaCount":1}"#, "DeltaFrom",
            "'' is not the name of a backup"
        ),
        (#"{"LSN":"1"}"#, "LSN", noInteger + " '1' found"),
        (#"{"LSN":-1}"#, "LSN", noInteger + " -1 found"),
        (#"{"LSN":1.5}"#, "LSN", noInteger + " 1.5 found"),
        (#"{"SystemIdentifier":1e3}"#, "SystemIdentifier", noInteger + " 1e3 found"),
        (#"{"IsPermanent":"yes"}"#, "IsPermanent", "true or false expected, 'yes' found"),
        (#"{"Hostname":1}"#, "Hostname", "a string expected, 1 found"),
        (#"{"StartTime":"yesterday"}"#, "StartTime", "a time by RFC 3339 expected, 'yesterday' found"),
        (#"{"Spec":[]}"#, "Spec", "an object expected, an array found"),
        (#"{"Spec":{}}"#, "Spec.base_prefix", "is missing"),
        (#"{"WALS":{}}"#, "WALS.version", "is missing"),
        (
            #"{"WALS":{"version":1,"objects":[{"name":"../a"}]}}"#, "WALS.objects[0].name",
            "a name within the backup's folder expected, '../a' found"
        ),
        (
            #"{"WALS":{"version":1,"objects":[{"name":"a","size":1,"sha256":"00"}]}}"#, "WALS.objects[0].sha256",
            "64 hexadecimal digits expected, '00' found"
        ),
        (
            #"{"WALS":{"version":1,"walRange":{"first":"1"}}}"#, "WALS.walRange.first",
            "the name of a segment expected"
        ),
        (#"{"TarFileSets":{"a":[1]}}"#, "TarFileSets.a", "an array of strings expected"),
        ("[]", "", "an object expected, an array found"), ("null", "", "an object expected, null found"),
        (#"{"LSN":1"#, "", "JSON at byte 8: the document ends too early"),
    ])
    func `a wrong document is refused with its member`(text: String, member: String, detail: String) {
        #expect(throws: RepositoryError(.damaged, object: Self.object, member: member, detail: detail)) {
            try Self.read(text)
        }
    }

    @Test func `a newer form of our member is refused as such`() {
        let detail = "version 2 is newer than this program, which knows 1"
        #expect(throws: RepositoryError(.unsupported, object: Self.object, member: "WALS.version", detail: detail)) {
            try Self.read(#"{"WALS":{"version":2}}"#)
        }
    }

    @Test func `names match in any case and unknown ones are ignored`() throws {
        let sentinel = try Self.read(#"{"LSN":1,"lsn":2,"PGVERSION":150000,"New":{"a":[]},"systemidentifier":-1}"#)
        #expect(sentinel.startLSN == LSN(2))
        #expect(sentinel.postgresVersion == 150000)
        #expect(sentinel.systemIdentifier == .max)
    }

    @Test(arguments: golden)
    func `every prefix is refused and every flip of a bit is a sentinel or an error`(text: String) {
        let bytes = Array(text.utf8)
        for count in bytes.indices {
            #expect(throws: RepositoryError.self) {
                try Sentinel(parsing: Array(bytes[..<count]), object: Self.object)
            }
        }
        for index in bytes.indices {
            for bit in 0..<8 {
                var broken = bytes
                broken[index] ^= 1 << UInt8(bit)
                _ = try? Sentinel(parsing: broken, object: Self.object)
            }
        }
    }
}
