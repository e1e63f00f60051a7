import Bytes
import Testing

@testable import Storage

@Suite struct S3ConfigurationTests {
    @Test(arguments: [
        ("s3://bucket", "bucket", ""), ("s3://bucket/", "bucket", ""), ("s3://bucket/a/b", "bucket", "a/b"),
        ("s3://bucket//a//b//", "bucket", "a//b"), ("s3://my_Bucket.x-1/ä b", "my_Bucket.x-1", "ä b"),
    ])
    func `a prefix is read`(text: String, bucket: String, prefix: String) throws {
        let (readBucket, readPrefix) = try S3Configuration.parse(prefixURL: text)
        #expect(readBucket == bucket && readPrefix == prefix)
    }

    @Test(arguments: [
        ("", "it does not begin with s3://"), ("bucket/a", "it does not begin with s3://"),
        ("S3://bucket", "it does not begin with s3://"), ("s3://", "the bucket's name is missing"),
        ("s3:///a", "the bucket's name is missing"), ("s3://a\u{7}/b", "\"a\u{7}\" is no bucket name"),
        ("s3://a b/c", "\"a b\" is no bucket name"), ("s3://a?x/c", "\"a?x\" is no bucket name"),
        ("s3://../c", "\"..\" is no bucket name"), ("s3://b/c\n", "it holds a control character"),
    ])
    func `a bad prefix is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: StorageError.self) { try S3Configuration.parse(prefixURL: text) }
        #expect(error?.kind == .invalidRequest)
        #expect(error?.detail.contains(reason) ?? false)
        #expect(error?.detail.hasSuffix("expected s3://bucket/path") ?? false)
    }

    @Test(arguments: [
        ("s3.example.com", "https://s3.example.com"), ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://h:443/", "https://h"), ("http://h:80", "http://h"), ("HTTP://h", "http://h"),
        ("h:9000", "https://h:9000"), ("http://[::1]:9000", "http://[::1]:9000"), ("[::1]", "https://[::1]"),
        ("https://h/storage/v1/", "https://h/storage/v1"),
    ])
    func `an endpoint is read`(text: String, description: String) throws {
        #expect(try S3Endpoint(parsing: text).description == description)
    }

    @Test(arguments: [
        "", "ftp://h", "http://", "http://:90", "h:0", "h:65536", "h:x", "h:", "::1", "http://user:pass@h", "h/?x",
        "h /a", "http://[::1", "h/%41", "h#x",
    ])
    func `a bad endpoint is refused`(text: String) {
        let error = #expect(throws: StorageError.self) { try S3Endpoint(parsing: text) }
        #expect(error?.kind == .invalidRequest)
    }

    @Test func `the password of an endpoint is not repeated`() {
        let error = #expect(throws: StorageError.self) { try S3Endpoint(parsing: "http://user:hush@h") }
        #expect(error.map { !"\($0)".contains("hush") } ?? false)
    }

    @Test(arguments: [
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_480), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
    ])
    func `an HTTP date is read`(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(text) == Timestamp(seconds: seconds))
    }

    @Test(arguments: [
        "", "Wed, 21 Oct 2015 07:28:00", "Wed, 21 Foo 2015 07:28:00 GMT", "Wed, 99 Oct 2015 07:28:00 GMT",
    ])
    func `another date is not`(text: String) { #expect(HTTPDate.parse(text) == nil) }

    @Test func `a listing outside of the prefix or without an end is an error`() throws {
        func page(_ text: String) throws -> ListPage {
            let root = "<ListBucketResult>\(text)</ListBucketResult>"
            return try ListPage(
                XMLElement(parsing: Array(root.utf8)), prefix: "p/", operation: "LIST", key: "")
        }
        let entry =
            "<Contents><Key>KEY</Key><Size>3</Size><LastModified>2026-08-21T18:02:35.123Z</LastModified></Contents>"
        let end = "<IsTruncated>false</IsTruncated>"
        let good = try page("<EncodingType>url</EncodingType>" + entry.replacing("KEY", with: "p%2Fa+b%2B") + end)
        #expect(good.objects.map(\.key) == ["a b+"])
        #expect(good.objects[0].modified == Timestamp(seconds: 1_787_335_355))
        #expect(try page(entry.replacing("KEY", with: "p/a+b%2B") + end).objects.map(\.key) == ["a+b%2B"])
        for bad in [
            entry.replacing("KEY", with: "p/a"), entry.replacing("KEY", with: "q/a") + end,
            "<Contents><Key>p/a</Key></Contents>" + end,
            "<EncodingType>url</EncodingType>"
                + entry.replacing("KEY", with: "p/%zz") + end,
        ] {
            #expect(throws: StorageError.self) { try page(bad) }
        }
    }
}
