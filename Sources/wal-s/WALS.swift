import Commands
import Glibc

/// The program: WAL-S, which also answers to the name `wal-g`.
@main struct WALS {
    static func main() {
        // An asynchronous main would leave this thread in dispatch_main, which waits with every signal let through
        // (sigsuspend): SIGTERM would then kill at once. So it is blocked here, before any other thread exists, and
        // the thread that is meant to takes it.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // Not exit(3): its handlers take OpenSSL down while threads that end still give their share of it back, which
        // frees memory twice. Nothing is left to be flushed, output goes through write(2).
        Task.detached { _exit(await Program.main(CommandLine.arguments)) }
        while true { pause() }
    }
}
