import Bytes
import Glibc

extension StorageError {
    /// A failed system call of a store in a local directory.
    init(_ error: SystemError, operation: String, key: ObjectKey = "") {
        let kind: Kind
        let advice: String
        switch error.code {
        case ENOSPC, EDQUOT, EFBIG:
            (kind, advice) = (.noSpace, "make room on that file system")
        case EACCES, EPERM:
            (kind, advice) = (.permissionDenied, "the user who runs this needs the right to it")
        case EROFS:
            (kind, advice) = (.permissionDenied, "the file system is mounted read-only")
        case ENOENT:
            (kind, advice) = (.notFound, "")
        case ENAMETOOLONG, EINVAL, ELOOP, ENOTDIR, EISDIR, EILSEQ:
            (kind, advice) = (.invalidRequest, "")
        default:
            (kind, advice) = (.unavailable, "")
        }
        let detail = advice.isEmpty ? error.description : "\(error.description); \(advice)"
        self.init(kind, operation: operation, key: key, detail: detail)
    }
}
