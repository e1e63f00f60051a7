/// Finds what a misspelt word was probably meant to be.
enum Suggestion {
    /// The candidate nearest to `word`, the first of equals; nil when none is near enough to be meant.
    ///
    /// Near is: at most one edit in three characters, and never more than four.
    static func nearest(to word: String, in candidates: [String]) -> String? {
        let limit = min(4, max(1, word.utf8.count / 3))
        var best: (distance: Int, word: String)?
        for candidate in candidates {
            let distance = distance(word, candidate, limit: best.map { $0.distance - 1 } ?? limit)
            if let distance { best = (distance, candidate) }
            if best?.distance == 0 { break }
        }
        return best?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two words; nil when more than `limit`.
    static func distance(_ left: String, _ right: String, limit: Int) -> Int? {
        let a = Array(left.utf8)
        let b = Array(right.utf8)
        guard limit >= 0, abs(a.count - b.count) <= limit else { return nil }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count] <= limit ? last[b.count] : nil
    }
}
