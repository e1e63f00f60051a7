import Bytes
import Testing

@Suite struct XMLScannerTests {
    /// The example of AWS's API reference for ListObjectsV2, with the escapes added.
    private let page = """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
          <!-- a > b --><Name>bucket</Name>
          <Prefix/>
          <KeyCount a="x>y" b='"'>205</KeyCount>
          <Contents><Key>a&amp;b&lt;c&gt;&quot;&apos;&#65;&#x42;&#xe9;</Key><s3:Size>434234</s3:Size></Contents>
          <Contents><Key><![CDATA[<&>]]></Key><ETag>&quot;x&quot;</ETag></Contents>
        </ListBucketResult>

        """

    @Test func `a listing is read`() throws {
        let root = try XMLElement(parsing: Array(page.utf8))
        #expect(root.name == "ListBucketResult")
        #expect(root["Name"] == "bucket" && root["Prefix"] == "" && root["KeyCount"] == "205" && root["No"] == nil)
        let contents = root.children("Contents")
        #expect(contents.map { $0["Key"] } == ["a&b<c>\"'ABé", "<&>"])
        #expect(contents[0]["Size"] == "434234" && contents[1]["ETag"] == "\"x\"")
    }

    @Test func `events come in order`() throws {
        var scanner = XMLScanner(Array("<a>1<b/>2</a>".utf8))
        var events: [XMLScanner.Event] = []
        while let event = try scanner.next() { events.append(event) }
        #expect(events == [.start("a"), .text("1"), .start("b"), .end("b"), .text("2"), .end("a")])
    }

    @Test(arguments: [
        ("", 0, "no element"),
        ("<!DOCTYPE a><a/>", 0, "a declaration, which is not accepted here"),
        ("<a><!ENTITY x \"y\"></a>", 3, "a declaration, which is not accepted here"),
        ("<a>&x;</a>", 3, "an unknown reference &x;"),
        ("<a>&#0;</a>", 3, "an unknown reference &#0;"),
        ("<a>&#xD800;</a>", 3, "an unknown reference &#xD800;"),
        ("<a>&#x110000;</a>", 3, "an unknown reference &#x110000;"),
        ("<a>&amp</a>", 3, "an & that begins no reference"),
        ("<a></b>", 3, "</b> closes nothing"),
        ("<a>", 3, "the end within <a>"),
        ("<a/><b/>", 4, "a second root element"),
        ("text<a/>", 4, "text outside of the root element"),
        ("<a", 2, "the end within a tag"),
        ("<>", 1, "no name where one must be"),
    ])
    func `what is not XML is refused with its place`(text: String, offset: Int, reason: String) throws {
        let error = #expect(throws: XMLError.self) { try XMLElement(parsing: Array(text.utf8)) }
        #expect(error?.description == "XML at byte \(offset): \(reason)")
    }

    @Test func `elements within elements have an end`() {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(throws: XMLError.self) { try XMLElement(parsing: Array(deep.utf8)) }
    }

    @Test func `every prefix of a document is refused`() throws {
        let bytes = Array(page.utf8)
        let whole = try #require(bytes.lastIndex(of: 0x3E))
        for end in 0...whole {
            #expect(throws: XMLError.self, "\(end)") { try XMLElement(parsing: Array(bytes[..<end])) }
        }
    }

    @Test func `no changed byte makes the reader fail otherwise`() {
        let bytes = Array(page.utf8)
        for index in bytes.indices {
            for flip: UInt8 in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF] {
                var changed = bytes
                changed[index] ^= flip
                _ = try? XMLElement(parsing: changed)
            }
        }
    }

    @Test func `what is escaped is read back`() throws {
        let text = "a<b>&\"'\u{9}\r\n]]>é𝄞"
        #expect(try XMLElement(parsing: Array("<a>\(XMLElement.escape(text))</a>".utf8)).text == text)
    }
}
