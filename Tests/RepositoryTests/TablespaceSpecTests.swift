import Bytes
import Repository
import Testing

@Suite struct TablespaceSpecTests {
    @Test func `a restore spec is read, slashes at the ends trimmed, and written with names sorted`() throws {
        let text = """
            {"tablespaces": ["16474", "16390"], "base_prefix": "/pg/main/", "16390": {"link": "pg_tblspc/16390",
            "loc": "/mnt/ts1"}, "16474": {"loc": "/mnt/ts2//", "link": "pg_tblspc/16474"}, "other": 1}
            """
        let spec = try TablespaceSpec(parsing: Array(text.utf8), source: "spec.json")
        #expect(spec.basePrefix == "/pg/main")
        #expect(
            spec.tablespaces == [
                .init(name: "16474", location: "/mnt/ts2"), .init(name: "16390", location: "/mnt/ts1"),
            ])
        let expected =
            #"{"16390":{"loc":"/mnt/ts1","link":"pg_tblspc/16390"},"16474":{"loc":"/mnt/ts2","#
            + #""link":"pg_tblspc/16474"},"base_prefix":"/pg/main","tablespaces":["16474","16390"]}"#
        #expect(String(decoding: JSONWriter.bytes(of: spec.json), as: UTF8.self) == expected)
    }

    @Test func `it tells which tablespaces of a backup it leaves out`() {
        let one = TablespaceSpec(basePrefix: "/a", tablespaces: [.init(name: "1", location: "/x")])
        let two = TablespaceSpec(
            basePrefix: "/b", tablespaces: [.init(name: "1", location: "/y"), .init(name: "2", location: "/z")])
        #expect(one.missing(from: two) == ["2"])
        #expect(two.missing(from: one).isEmpty)
    }

    private static let one = #"{"base_prefix":"/a","tablespaces":["1"],"1":"#

    @Test(arguments: [
        ("{}", "base_prefix", "is missing"),
        (#"{"base_prefix":""}"#, "base_prefix", "an absolute path expected, '' found"),
        (#"{"base_prefix":"/a"}"#, "tablespaces", "is missing"),
        (#"{"base_prefix":"/a","tablespaces":{}}"#, "tablespaces", "an array expected, an object found"),
        (#"{"base_prefix":"/a","tablespaces":["1"]}"#, "1", "is missing"),
        (
            #"{"base_prefix":"/a","tablespaces":["../1"]}"#, "tablespaces",
            "the OID of a tablespace expected, '../1' found"
        ),
        (#"{"base_prefix":"/a","tablespaces":["01"]}"#, "tablespaces", "the OID of a tablespace expected, '01' found"),
        (#"{"base_prefix":"/a","tablespaces":[1]}"#, "tablespaces", "the OID of a tablespace expected, 1 found"),
        (one + #"{"link":"pg_tblspc/1"}}"#, "1.loc", "is missing"),
        (one + #"{"loc":"/x"}}"#, "1.link", "is missing"),
        (one + #"{"loc":"x","link":"pg_tblspc/1"}}"#, "1.loc", "an absolute path expected, 'x' found"),
        (one + #"{"loc":"/x/../y","link":"pg_tblspc/1"}}"#, "1.loc", "an absolute path expected, '/x/../y' found"),
        (one + #"{"loc":"/","link":"pg_tblspc/1"}}"#, "1.loc", "an absolute path expected, '/' found"),
        (one + #"{"loc":"/x","link":"pg_tblspc/2"}}"#, "1.link", "'pg_tblspc/1' expected, 'pg_tblspc/2' found"),
        (
            #"{"base_prefix":"/a","tablespaces":["1","1"],"1":{"loc":"/x","link":"pg_tblspc/1"}}"#, "tablespaces",
            "tablespace 1 is listed twice"
        ),
        (
            #"{"base_prefix":"/a","tablespaces":["1","2"],"1":{"loc":"/x","link":"pg_tblspc/1"},"#
                + #""2":{"loc":"/x/","link":"pg_tblspc/2"}}"#, "2.loc", "tablespace 1 is at /x too"
        ),
    ])
    func `anything doubtful is refused`(text: String, member: String, detail: String) {
        #expect(throws: RepositoryError(.damaged, object: "spec.json", member: member, detail: detail)) {
            try TablespaceSpec(parsing: Array(text.utf8), source: "spec.json")
        }
    }
}
