import Bytes
import Testing

@testable import Archiver

@Suite struct RestoreLedgerTests {
    private func path(_ text: String) -> MemberPath { MemberPath(trusted: text) }

    private func listed(_ texts: [String]) -> ListedFiles {
        var files = ListedFiles()
        for (index, text) in texts.enumerated() {
            var expected = ExpectedFile()
            expected.byteCount = index
            files.set(path(text), expected)
        }
        return files
    }

    private func write(_ byteCount: Int?) -> RestoreLedger.Claim {
        var expected = ExpectedFile()
        expected.byteCount = byteCount
        return .write(expected)
    }

    @Test(arguments: [true, false])
    func `one tar brings a file, another that does is refused, and what is forgotten may come again`(
        isListed: Bool
    ) throws {
        let ledger = RestoreLedger(isListed ? listed(["a", "b"]) : nil, mask: nil)
        #expect(ledger.isListed == isListed)
        #expect(try ledger.claim(path("b"), tar: 0) == write(isListed ? 1 : nil))
        #expect(try ledger.claim(path("b"), tar: 0) == write(isListed ? 1 : nil))
        #expect(
            throws: ArchiverError(
                .corrupted, "/b is in two parts: which of them belongs to the backup cannot be told")
        ) { try ledger.claim(path("b"), tar: 1) }
        ledger.forget(tar: 0)
        #expect(ledger.missing().examples.last == path("b"))
        #expect(try ledger.claim(path("b"), tar: 1) == write(isListed ? 1 : nil))
        #expect(try ledger.claim(path("c"), tar: 1) == (isListed ? .ignore : write(nil)))
    }

    @Test func `what the mask leaves out is neither written nor missed`() throws {
        let ledger = RestoreLedger(listed(["base/1/1", "base/1/2", "base/2/1"]), mask: try FileMask("/base/1/*"))
        #expect(try ledger.claim(path("base/2/1"), tar: 0) == .ignore)
        #expect(try ledger.claim(path("base/1/2"), tar: 0) == write(1))
        #expect(ledger.missing().count == 1)
        ledger.deliver(path("base/2/1"), tar: 0)
        ledger.deliver(path("base/1/1"), tar: 0)
        #expect(ledger.missing().count == 0)
        ledger.forget(tar: 0)
        #expect(ledger.missing().count == 2)
    }

    @Test func `of many missing files the first three are named`() {
        let ledger = RestoreLedger(listed((100..<400).reversed().map { "base/5/\($0)" }), mask: nil)
        let (count, examples) = ledger.missing()
        #expect(count == 300)
        #expect(examples == ["base/5/100", "base/5/101", "base/5/102"].map(path))
    }
}
