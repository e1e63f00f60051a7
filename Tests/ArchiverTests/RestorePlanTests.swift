import Bytes
import Storage
import Testing

@testable import Archiver

@Suite struct RestorePlanTests {
    private static let folder = "basebackups_005/base_000000010000000000000003/tar_partitions/"

    private static func facts(_ names: [String]) -> RestorePlan.Facts {
        RestorePlan.Facts(
            backup: "base_000000010000000000000003", folder: folder,
            objects: names.map { name in
                ObjectInfo(
                    key: ObjectKey(folder + name), byteCount: 100, modified: Timestamp(seconds: 0), etag: nil)
            })
    }

    private static func failure(_ facts: RestorePlan.Facts) -> ArchiverError? {
        do throws(ArchiverError) {
            _ = try RestorePlan(facts)
            return nil
        } catch {
            return error
        }
    }

    @Test func `gaps, copied parts and every extension are taken as they are listed`() throws {
        let names = [
            "backup_label.tar.lz4", "copy_0.tar.zst", "part_003.tar.br", "part_1000.tar.lzma", "part_007.tar.gz",
            "part_009.tar", "pg_control.tar.lz4",
        ]
        let plan = try RestorePlan(Self.facts(names))
        #expect(plan.parts.map(\.name) == names.filter { !$0.hasPrefix("backup_label") && !$0.hasPrefix("pg_control") })
        #expect(plan.parts.map(\.format) == [.zstd, .brotli, .lzma, .gzip, .none])
        #expect(plan.control.name == "pg_control.tar.lz4")
        #expect(plan.label?.name == "backup_label.tar.lz4")
    }

    @Test func `names with WAL-G's dangling dot are uncompressed`() throws {
        let plan = try RestorePlan(Self.facts(["part_001.tar.", "pg_control.tar.", "backup_label.tar."]))
        #expect(plan.parts.map(\.format) == [.none])
        #expect(plan.control.format == .none)
    }

    @Test(arguments: [
        (["pg_control.tar.lz4", "backup_label.tar.lz4"], "holds no parts"),
        (["part_001.tar.lz4", "backup_label.tar.lz4"], "pg_control.tar is missing"),
        (["part_001.tar.lzo", "pg_control.tar.lz4"], "part_001.tar.lzo: the compression of this name"),
        (
            ["part_001.tar.lz4", "pg_control.tar.lz4", "pg_control.tar.zst"],
            "pg_control.tar.zst: which of them belongs to the backup?"
        ),
    ])
    func `what cannot be a backup is refused by name`(_ names: [String], _ message: String) {
        let error = Self.failure(Self.facts(names))
        #expect(error?.kind == .corrupted)
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    }

    @Test func `without a label tar the label must be in a part, which only WAL-G's remote mode does`() throws {
        var facts = Self.facts(["part_001.tar.lz4", "pg_control.tar.lz4"])
        #expect(try RestorePlan(facts).label == nil)
        facts.tarSets = ["part_001.tar.lz4": 3]
        #expect(Self.failure(facts)?.message.contains("backup_label.tar is missing") == true)
    }

    @Test func `a listed tar that is missing is named with what it holds`() {
        var facts = Self.facts(["part_001.tar.lz4", "pg_control.tar.lz4", "backup_label.tar.lz4"])
        facts.tarSets = ["part_001.tar.lz4": 3, "part_002.tar.lz4": 5, "part_003.tar.lz4": 0]
        #expect(
            Self.failure(facts)?.message
                == "\(Self.folder)part_002.tar.lz4 is missing: it holds 5 files of the backup")
    }

    @Test func `objects that the lists do not know are debris only where the lists are complete`() throws {
        var facts = Self.facts([
            "part_001.tar.lz4", "part_002.tar.lz4", "pg_control.tar.lz4", "backup_label.tar.lz4",
        ])
        facts.tarSets = ["part_001.tar.lz4": 3]
        #expect(try RestorePlan(facts).parts.count == 2)
        facts.tarSetsAreComplete = true
        let plan = try RestorePlan(facts)
        #expect(plan.parts.map(\.name) == ["part_001.tar.lz4"])
        #expect(plan.ignored.map(\.name) == ["part_002.tar.lz4"])
    }

    @Test func `recorded objects must be there, of the recorded size`() {
        var facts = Self.facts(["part_001.tar.lz4", "pg_control.tar.lz4"])
        let digest = [UInt8](repeating: 1, count: 32)
        for (name, size) in [("part_001.tar.lz4", 100), ("pg_control.tar.lz4", 100), ("part_002.tar.lz4", 7)] {
            facts.recorded[ObjectKey(Self.folder + name)] = (size, digest)
        }
        #expect(
            Self.failure(facts)?.message == "\(Self.folder)part_002.tar.lz4 is missing: the backup was made with it")
        facts.recorded[ObjectKey(Self.folder + "part_002.tar.lz4")] = nil
        facts.recorded[ObjectKey(Self.folder + "part_001.tar.lz4")] = (99, digest)
        #expect(Self.failure(facts)?.message.contains("has 100 bytes, the backup was made with 99") == true)
    }
}
