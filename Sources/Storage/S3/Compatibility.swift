/// What an S3 server can and cannot do: provider differences are data here, and nowhere else.
package struct Compatibility: Equatable, Sendable {
    /// `PUT` with `If-None-Match: *` refuses to overwrite.
    ///
    /// False: HEAD before and after (rclone).
    package var conditionalPut = true
    /// `CompleteMultipartUpload` honours `If-None-Match: *`; Ceph RGW 16 passes over it.
    ///
    /// The object is asked for with HEAD before the completion in any case; false asks after it as well.
    package var conditionalComplete = true
    /// `If-Match` with the entity tag as the server gave it; Ceph RGW 16 wants it without its quotes on `PUT`.
    package var quotedIfMatch = true
    /// `x-amz-checksum-crc32c` on single uploads; servers that do not know it pass over it.
    package var checksums = true
    /// `DeleteObjects` is offered; Google's S3 gateway has none, and keys then go one by one.
    package var batchDelete = true

    package init() {}
}
