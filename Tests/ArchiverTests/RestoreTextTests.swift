import Repository
import Testing

@testable import Archiver

/// Names, patterns and what is said after a restore.
@Suite struct RestoreTextTests {
    @Test(arguments: [
        ("/base/5/1259", "base/5/1259"), ("base/5/1259", "base/5/1259"), ("./base//5/", "base/5"), ("/", ""),
        ("", ""), ("/a b/..c", "a b/..c"),
    ])
    func `a member's name becomes a path below the data directory`(_ name: String, _ path: String) throws {
        #expect(try MemberPath(memberName: name).text == path)
    }

    @Test(arguments: ["..", "/../etc/passwd", "base/../../x", "a/.."])
    func `a name that leads out is refused`(_ name: String) {
        #expect(throws: ArchiverError.self) { try MemberPath(memberName: name) }
    }

    @Test(arguments: [
        ("/base/5/*", "base/5/1259", true), ("/base/*", "base/5/1259", false), ("/base/5/125?", "base/5/1259", true),
        ("base/5/1259", "base/5/1259", false), ("/base/[0-9]/12*", "base/5/1259", true), ("/*", "PG_VERSION", true),
        ("/base/5/.*", "base/5/1259", false),
    ])
    func `a mask is compared with the leading slash, and its star stays in a folder`(
        _ pattern: String, _ path: String, _ matches: Bool
    ) throws {
        #expect(try FileMask(pattern).matches(MemberPath(memberName: path)) == matches)
    }

    @Test(arguments: ["", "/base/[0-9", "/base/\\"])
    func `half a pattern is refused`(_ pattern: String) {
        #expect(throws: ArchiverError.self) { try FileMask(pattern) }
    }

    @Test func `the restore command is quoted for the shell and for postgresql.conf`() {
        let steps = RestoreNextSteps(
            executable: "/opt/wal's 100%/wal-s", flags: ["--config=/etc/wal g.json"], environmentNames: ["B", "A"])
        #expect(
            steps.restoreCommand
                == "'"
                + #"'/opt/wal'\''s 100%%/wal-s' '--config=/etc/wal g.json' wal-fetch "%f" "%p""#
                .replacing("'", with: "''") + "'")
        let outcome = RestoreOutcome(
            backup: "base_1", destination: "/data", tablespaces: [.init(name: "16390", location: "/mnt/a")],
            skippedLinks: [MemberPath(trusted: "x.conf")], fileCount: 1, byteCount: 1, storedByteCount: 1,
            exampleLSN: "0/3000100")
        let text = steps.text(outcome)
        for line in [
            "base_1 is restored in /data. Next steps:", "  touch /data/recovery.signal", "    A B",
            "    pg_tblspc/16390 -> /mnt/a",
            "  /x.conf was a symbolic link and is not restored: make it, or the file, yourself",
        ] {
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
        }
    }

    @Test func `a plain path needs no quotes`() {
        let steps = RestoreNextSteps(executable: "/usr/bin/wal-s", environmentNames: [])
        #expect(steps.restoreCommand == #"'/usr/bin/wal-s wal-fetch "%f" "%p"'"#)
    }
}
