import Bytes
import Foundation
import TestSupport

/// A server that recovers from a copy of the template's backup, through the program under test.
final class WALRecovery {
    let cluster: Cluster
    private let fault: String
    private var place: String { cluster.directory }

    /// `faulty` are settings that hold from the segment `from` on, for as long as the fault is on.
    init(
        _ template: WALTemplate, _ archive: WALArchive, signal: String = "recovery", lines: [String] = [],
        settings: [String: String] = [:], faulty: [String: String]? = nil, from segment: String = ""
    ) throws {
        cluster = try Cluster(empty: "recovery")
        fault = cluster.directory + "/fault"
        // Not in the cluster's directory: a prefetcher may outlive the cluster.
        let state = template.folder.file("state-\(UInt32.random(in: 0 ... .max))")
        try Program.check(["cp", "-a", template.folder.file("base"), cluster.data])
        let all = archive.settings.merging(WALProgram.impatience) { $1 }.merging(
            ["WALS_STATE_DIR": state]
        ) { $1 }.merging(settings) { $1 }
        try write(all, "good.json")
        try write(all.merging(faulty ?? [:]) { $1 }, "faulty.json")
        let cleaning = WALProgram.foreign.map { "-u \($0)" }.joined(separator: " ")
        let script = """
            config='\(place)/good.json'
            case $1 in
            *.history) ;;
            *) if [ -e '\(fault)' ] && ! [ "$1" \\< '\(segment)' ]; then config='\(place)/faulty.json'; fi ;;
            esac
            exec env \(cleaning) '\(try BuiltBinary.path())' --config "$config" wal-fetch "$1" "$2"

            """
        try FileSystem.replace(place + "/fetch", with: Array(script.utf8))
        try FileSystem.makeDirectory(state)
        try ServerUser.own(state)
        try cluster.configure(
            [
                "listen_addresses = ''", "unix_socket_directories = '\(place)'", "archive_mode = off",
                "restore_command = 'sh \(place)/fetch %f %p'",
                "wal_retrieve_retry_interval = 200ms",
            ] + lines)
        if faulty != nil { try FileSystem.replace(fault, with: []) }
        try FileSystem.replace(cluster.data + "/\(signal).signal", with: [])
        try ServerUser.own(cluster.directory)
    }

    private func write(_ settings: [String: String], _ name: String) throws {
        let data = try JSONSerialization.data(withJSONObject: settings, options: [.withoutEscapingSlashes])
        try FileSystem.replace(place + "/" + name, with: Array(data))
    }

    /// The faulty settings hold no longer.
    func liftFault() throws { _ = try FileSystem.removeFile(fault) }

    /// Starts; true when recovery ended and the server took over, false when it refused and ended.
    func start() async throws -> Bool {
        // It may be reachable for reading, and end all the same.
        _ = try? cluster.start()
        for _ in 0..<1200 {
            if try isStopped() { return false }
            if (try? cluster.sql("SELECT pg_is_in_recovery()")) == "f" { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ScenarioFailure("neither ended nor took over:\n\(cluster.log())")
    }

    /// Starts, and waits for nothing.
    func startAndLeave() throws {
        try cluster.program("pg_ctl", ["-D", cluster.data, "-W", "-l", cluster.directory + "/log", "start"])
    }

    /// Starts a standby.
    func startStandby() throws { try cluster.start() }

    func isStopped() throws -> Bool {
        try Program.run(Cluster.asServerUser([cluster.path("pg_ctl"), "-D", cluster.data, "status"])).status == 3
    }

    /// Whether a timeline was begun.
    var isPromoted: Bool {
        (try? FileSystem.status(cluster.data + "/pg_wal/00000002.history")) ?? nil != nil
    }

    var isAskedToRecover: Bool { (try? FileSystem.status(cluster.data + "/recovery.signal")) ?? nil != nil }

    func rows() throws -> String {
        try cluster.sql("SELECT string_agg(n::text, ',' ORDER BY n) FROM marks")
    }
}
