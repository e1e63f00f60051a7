import Bytes
import Glibc

/// A process that goes on after this one, in a session of its own, without its files and signals.
enum DetachedProcess {
    /// Starts `program` with `arguments` (the first is its name) and this process's environment.
    ///
    /// - Throws: `SystemError` when it cannot be started.
    static func start(_ program: String, _ arguments: [String]) throws(SystemError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // PostgreSQL's shell may have left pipes open that somebody waits on. Our own files close by themselves.
        for name in try FileSystem.names(in: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSID and POSIX_SPAWN_SETSIGMASK; glibc's header gives them in a form Swift does not import.
        posix_spawnattr_setflags(&attributes, 0x80 | 0x08)
        let words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, program, &actions, &attributes, words, environ)
        guard result == 0 else { throw SystemError(call: "posix_spawn", path: program, code: result) }
    }
}
