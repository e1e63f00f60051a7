/// Tables of text in the two forms WAL-G prints.
package enum TextTable {
    /// Columns as Go's tabwriter aligns them: each as wide as its widest cell and one space more, the last one ragged.
    package static func columns(_ rows: [[String]]) -> String {
        let widths = widths(of: rows)
        var text = ""
        for row in rows {
            for (index, cell) in row.enumerated() {
                text += index + 1 == row.count ? cell : padded(cell, to: widths[index] + 1)
            }
            text += "\n"
        }
        return text
    }

    /// A box of `+`, `-` and `|`, as go-pretty draws it; columns listed in `numbers` are aligned to the right.
    package static func box(header: [String], rows: [[String]], numbers: Set<Int> = []) -> String {
        let widths = widths(of: [header] + rows)
        let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
        func line(_ cells: [String]) -> String {
            let cells = cells.enumerated().map { index, cell in
                padded(cell, to: widths[index], onTheLeft: numbers.contains(index))
            }
            return "| " + cells.joined(separator: " | ") + " |\n"
        }
        return rule + line(header) + rule + rows.map(line).joined() + rule
    }

    private static func widths(of rows: [[String]]) -> [Int] {
        let count = rows.map(\.count).max() ?? 0
        return (0..<count).map { index in
            rows.map { index < $0.count ? $0[index].unicodeScalars.count : 0 }.max() ?? 0
        }
    }

    private static func padded(_ text: String, to width: Int, onTheLeft: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
        return onTheLeft ? padding + text : text + padding
    }
}
