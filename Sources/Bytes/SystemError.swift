import Glibc

/// A system call that failed: which one, on what, and why.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The C function's name, for example `open`.
    package let call: String
    /// The path or other object the call was made on; empty when there is none.
    package let path: String
    /// The value of `errno` after the call.
    package let code: CInt

    package init(call: String, path: String, code: CInt = errno) {
        self.call = call
        self.path = path
        self.code = code
    }

    /// What `strerror` says of the code.
    package var reason: String { String(cString: strerror(code)) }

    package var description: String { path.isEmpty ? "\(call): \(reason)" : "\(call) \(path): \(reason)" }
}
