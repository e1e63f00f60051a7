import Commands
import Glibc

/// The program: WAL-S, which also answers to the name `wal-g`.
@main struct WALS {
    static func main() async {
        exit(await Program.main(CommandLine.arguments))
    }
}
