import Bytes
import Glibc

extension SystemError {
    /// Whether the system said that this user may not.
    var isPermission: Bool { code == EACCES || code == EPERM || code == EROFS }
}
