import Bytes
import Repository
import Testing

@Suite struct ClusterClaimTests {
    private let claim = ClusterClaim(
        systemIdentifier: .max, claimedAt: Timestamp(seconds: 1_767_225_600), hostname: "pg1", tool: "wal-s 0.1")

    @Test func `a claim is written for people and read again`() throws {
        let expected = """
            {
              "version": 1,
              "system_identifier": "18446744073709551615",
              "claimed_at": "2026-01-01T00:00:00Z",
              "hostname": "pg1",
              "tool": "wal-s 0.1",
              "history": []
            }

            """
        #expect(String(decoding: claim.encoded(), as: UTF8.self) == expected)
        #expect(try ClusterClaim(parsing: claim.encoded(), object: "c") == claim)
    }

    @Test func `a change of cluster keeps the one before`() throws {
        let time = Timestamp(seconds: 1_767_225_601)
        let next = claim.replaced(by: 7, at: time, hostname: "pg2", tool: "wal-s 0.2")
        #expect(next.systemIdentifier == 7)
        let change = ClusterClaim.Change(systemIdentifier: .max, claimedAt: claim.claimedAt, replacedAt: time)
        #expect(next.history == [change])
        #expect(try ClusterClaim(parsing: next.encoded(), object: "c") == next)
    }

    @Test func `an identifier may be a number`() throws {
        let text = #"{"version":1,"system_identifier":18446744073709551615,"claimed_at":"2026-01-01T00:00:00Z"}"#
        #expect(try ClusterClaim(parsing: Array(text.utf8), object: "c").systemIdentifier == .max)
    }

    @Test(arguments: [
        ("{}", RepositoryError.Kind.damaged, "version", "is missing"),
        (#"{"version":2}"#, .unsupported, "version", "version 2 is newer than this program, which knows 1"),
        (#"{"version":1}"#, .damaged, "system_identifier", "is missing"),
        (
            #"{"version":1,"system_identifier":"x"}"#, .damaged, "system_identifier",
            "an integer of 64 bits expected, 'x' found"
        ),
        (#"{"version":1,"system_identifier":"1"}"#, .damaged, "claimed_at", "is missing"),
        (
            #"{"version":1,"system_identifier":1,"claimed_at":"2026-01-01T00:00:00Z","history":[{}]}"#, .damaged,
            "history[0].system_identifier", "is missing"
        ),
    ])
    func `a wrong claim is refused`(text: String, kind: RepositoryError.Kind, member: String, detail: String) {
        #expect(throws: RepositoryError(kind, object: "c", member: member, detail: detail)) {
            try ClusterClaim(parsing: Array(text.utf8), object: "c")
        }
    }

    @Test func `every prefix is refused`() {
        let text = claim.encoded().dropLast()
        for count in text.indices {
            #expect(throws: RepositoryError.self) { try ClusterClaim(parsing: Array(text[..<count]), object: "c") }
        }
    }
}
