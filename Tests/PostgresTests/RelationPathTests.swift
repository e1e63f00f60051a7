import Testing

@testable import Postgres

@Suite struct RelationPathTests {
    typealias Relation = RelationPath.Relation

    @Test(
        arguments: [
            ("base/5/16396", Relation(place: .base, database: 5, number: 16396), .main, 0),
            ("base/5/16396.12", Relation(place: .base, database: 5, number: 16396), .main, 12),
            ("base/5/16396_fsm", Relation(place: .base, database: 5, number: 16396), .freeSpaceMap, 0),
            ("base/5/16396_vm.1", Relation(place: .base, database: 5, number: 16396), .visibilityMap, 1),
            ("base/5/16396_init", Relation(place: .base, database: 5, number: 16396), .initial, 0),
            ("global/1262", Relation(place: .global, database: 0, number: 1262), .main, 0),
            (
                "pg_tblspc/16400/PG_15_202209061/5/4294967295",
                Relation(place: .tablespace(oid: 16400), database: 5, number: 4_294_967_295), .main, 0
            ),
            ("base/5/t3_16396", Relation(place: .base, database: 5, number: 16396, backend: 3), .main, 0),
            ("base/5/t3_16396_fsm.2", Relation(place: .base, database: 5, number: 16396, backend: 3), .freeSpaceMap, 2),
            ("base/5/t0_1", Relation(place: .base, database: 5, number: 1, backend: 0), .main, 0),
        ] as [(String, Relation, RelationPath.Fork, UInt32)])
    func `a relation's file is told`(
        path: String, relation: Relation, fork: RelationPath.Fork, segment: UInt32
    ) throws {
        let file = try #require(RelationPath(path))
        #expect(file.relation == relation)
        #expect(file.fork == fork)
        #expect(file.segment == segment)
        #expect(file.isTemporary == (relation.backend != nil))
        #expect(file.firstBlock == segment * 131_072)
    }

    @Test(
        arguments: [
            "global/pg_control", "global/pg_filenode.map", "global/pg_internal.init", "global/pg_internal.init.123",
            "base/5/PG_VERSION", "base/5/pg_filenode.map", "base/5/pg_internal.init", "base/16396", "16396", "",
            "base/pgsql_tmp/pgsql_tmp1.0", "base/5/pgsql_tmp1", "pg_wal/000000010000000000000001", "pg_xact/0000",
            "base/5/0", "base/5/01", "base/5/4294967296", "base/5/16396.", "base/5/16396.0", "base/5/16396.01",
            "base/5/16396_", "base/5/16396_main", "base/5/16396_fsm_vm", "base/5/16396.1_fsm", "base/5/16396.32768",
            "base/0/16396", "base/x/16396", "base/5/6/16396", "global/5/16396", "/base/5/16396", "base//16396",
            "./base/5/16396", "base/5/t_16396", "base/5/tx_1", "base/5/t3", "base/5/t3_", "base/5/+1", "base/5/ 1",
            "pg_tblspc/16400/PG_15/5/1", "pg_tblspc/16400/15_202209061_PG/5/1", "pg_tblspc/16400/5/1", "base/5/16396/",
            "pg_tblspc/16400/PG_15_202209061/pgsql_tmp/1", "base/5/16396.bak", "base/5/1-2",
        ])
    func `no other file is taken for one`(path: String) {
        #expect(RelationPath(path) == nil)
    }

    @Test func `the init fork shows which relation is unlogged`() throws {
        let initial = try #require(RelationPath("base/5/16396_init"))
        #expect(RelationPath("base/5/16396.1")?.relation == initial.relation)
        #expect(RelationPath("base/6/16396")?.relation != initial.relation)
    }
}
