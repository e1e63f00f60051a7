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
        Task.detached { exit(await Program.main(CommandLine.arguments)) }
        while true { pause() }
    }
}
