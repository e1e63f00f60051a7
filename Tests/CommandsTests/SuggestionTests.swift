import Testing

@testable import Commands

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("kitten", "sitting", 3), ("ab", "ba", 1), ("", "abc", 3), ("same", "same", 0), ("flaw", "lawn", 2),
    ])
    func `edits are counted`(left: String, right: String, edits: Int) {
        #expect(Suggestion.distance(left, right, limit: 9) == edits)
        #expect(Suggestion.distance(right, left, limit: 9) == edits)
        #expect(Suggestion.distance(left, right, limit: edits - 1) == nil)
    }

    @Test func `the nearest word is found, and none when none is near`() {
        let words = ["wal-push", "wal-fetch", "backup-push"]
        #expect(Suggestion.nearest(to: "wal-psuh", in: words) == "wal-push")
        #expect(Suggestion.nearest(to: "backup-pull", in: words) == "backup-push")
        #expect(Suggestion.nearest(to: "vacuum", in: words) == nil)
    }
}
