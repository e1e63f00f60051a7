import Bytes
@preconcurrency import Glibc

/// What the system says of this process; read once, before anything else runs.
enum ProcessEnvironment {
    /// The environment variables; of one given twice the first counts, as for `getenv`.
    static var variables: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            entry += 1
            let pair = String(cString: text)
            guard let equals = pair.utf8.firstIndex(of: 0x3D) else { continue }
            let name = String(pair[..<equals])
            if variables[name] == nil { variables[name] = String(pair[pair.utf8.index(after: equals)...]) }
        }
        return variables
    }

    /// The user's home by the password database, else `HOME`.
    ///
    /// WAL-G asks the database; a container's user may have no entry there.
    static var home: String? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 16384)
        defer { buffer.deallocate() }
        if let start = buffer.baseAddress, getpwuid_r(geteuid(), &record, start, buffer.count, &found) == 0,
            found != nil,
            let home = record.pw_dir
        {
            return String(cString: home)
        }
        guard let home = getenv("HOME") else { return nil }
        return String(cString: home)
    }
}

/// Writes whole texts to an open descriptor that stays open.
struct TextWriter: Sendable {
    let descriptor: CInt
    let name: String

    func write(_ text: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError(call: "write", path: name) }
            done += count
        }
    }
}
