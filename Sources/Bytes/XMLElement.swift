/// An element of a small XML document, read whole.
package struct XMLElement: Equatable, Sendable {
    /// Without the namespace's prefix.
    package let name: String
    package private(set) var children: [XMLElement] = []
    /// The text of this element alone; when it has children, the white space between them.
    package private(set) var text = ""

    private init(name: String) { self.name = name }

    /// Reads a whole document and returns its root.
    package init(parsing bytes: [UInt8]) throws(XMLError) {
        var scanner = XMLScanner(bytes)
        var open: [XMLElement] = []
        var root: XMLElement?
        while let event = try scanner.next() {
            switch event {
            case .start(let name): open.append(XMLElement(name: name))
            case .text(let text): open[open.count - 1].text += text
            case .end:
                let closed = open.removeLast()
                if open.isEmpty {
                    root = closed
                } else {
                    open[open.count - 1].children.append(closed)
                }
            }
        }
        guard let root else { throw XMLError(offset: bytes.count, reason: "no element") }
        self = root
    }

    /// The text of the first child of the name; nil when there is none.
    package subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }

    package func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// `text` with the five characters that XML reserves, and control characters, written as references.
    package static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&apos;"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "&#\(scalar.value);"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
