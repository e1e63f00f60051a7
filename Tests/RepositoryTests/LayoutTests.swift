import Repository
import Storage
import Testing

@Suite struct LayoutTests {
    @Test func `keys are WAL-G's`() {
        let name = "base_000000010000000000000005"
        let folder = "basebackups_005/base_000000010000000000000005"
        #expect(Layout.sentinel(name).text == folder + "_backup_stop_sentinel.json")
        #expect(Layout.metadata(name).text == folder + "/metadata.json")
        #expect(Layout.filesMetadata(name).text == folder + "/files_metadata.json")
        #expect(Layout.manifest(name).text == folder + "/backup_manifest")
        #expect(Layout.tar("part_001.tar.lz4", of: name).text == folder + "/tar_partitions/part_001.tar.lz4")
        #expect(Layout.wal("00000002.history.lz4").text == "wal_005/00000002.history.lz4")
    }

    @Test(arguments: [(1, "part_001.tar"), (999, "part_999.tar"), (1000, "part_1000.tar")])
    func `parts have three digits or more`(number: Int, name: String) { #expect(Layout.partName(number) == name) }

    @Test func `the claim's key has nothing WAL-G would delete`() {
        #expect(BackupName.firstSegmentText(in: Layout.claim.text.uppercased()) == nil)
    }

    @Test(
        arguments: [
            ("basebackups_005/base_X_backup_stop_sentinel.json", "base_X"),
            ("basebackups_005/_backup_stop_sentinel.json", nil), ("base_X_backup_stop_sentinel.json", nil),
            ("basebackups_005/base_X/a_backup_stop_sentinel.json", nil), ("basebackups_005/base_X/metadata.json", nil),
        ] as [(String, String?)])
    func `a sentinel's key tells its backup`(key: String, backup: String?) {
        #expect(Layout.backup(ofSentinel: ObjectKey(key)) == backup)
    }
}
