import Bytes
import Storage
import TestSupport
import Testing

/// F2: objects of the archive changed at rest; no changed byte may reach recovery, directly or by the prefetcher.
@Suite(.enabled(if: Cluster.isAvailable, "no PostgreSQL here"), .timeLimit(.minutes(20)))
struct WALDamageTests {
    static let codecs = WALTemplate.codecs.keys.sorted()

    /// Which bytes of the target segment something vouches for, when no codec does: of the page header what is compared
    /// with the name and the cluster, and the records; gaps that align records are nobody's, and PostgreSQL skips them.
    static func covered(_ bytes: [UInt8]) -> [Int] {
        var covered = Array(4..<16) + Array(24..<40)
        var offset = 40
        while offset + 24 <= 8192 {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            guard length >= 24, offset + length <= 8192 else { break }
            covered += offset..<(offset + length)
            offset = (offset + length + 7) & ~7
        }
        return covered
    }

    private func position<Generator: RandomNumberGenerator>(
        _ bytes: [UInt8], _ codec: String, _ generator: inout Generator
    ) -> Int {
        let places = codec == "none" ? Self.covered(bytes) : Array(bytes.indices)
        return (places.randomElement(using: &generator) ?? 0) * 8 + Int.random(in: 0..<8, using: &generator)
    }

    private func archive(
        _ template: WALTemplate, _ codec: String, _ change: (inout [UInt8]) -> Void
    ) async throws -> WALArchive {
        try await template.archive(.directory, codec) { objects in
            try objects.alter(WALTemplate.key(template.target, codec), change)
        }
    }

    /// Delivered as PostgreSQL wrote it, or refused with 202 and nothing left.
    private func judge(
        _ template: WALTemplate, _ program: WALProgram, _ what: String
    ) async throws {
        let (outcome, content) = try await program.fetch(template.target)
        if outcome.exitCode == 0 {
            let isSame = content == template.bytes(template.target)
            #expect(isSame, "\(what): delivered with other content")
        } else {
            #expect(outcome.exitCode == 202, "\(what): \(outcome)")
            #expect(content == nil && outcome.errorText.contains(template.target), "\(what): \(outcome)")
        }
    }

    @Test(arguments: codecs)
    func `one bit turned over is never delivered`(_ codec: String) async throws {
        let template = try await WALTemplate.shared
        var generator = SeededGenerator(seed: 20)
        for round in 0..<20 {
            var bit = 0
            let archive = try await archive(template, codec) { bytes in
                bit = position(bytes, codec, &generator)
                bytes = bytes.flipped(bit: bit)
            }
            let program = try WALProgram(
                archive, control: template.control, signal: "recovery", ["WALG_COMPRESSION_METHOD": codec])
            try await judge(template, program, "\(codec) round \(round) bit \(bit)")
        }
    }

    @Test(arguments: codecs)
    func `one bit turned over is never delivered by the prefetcher`(_ codec: String) async throws {
        let template = try await WALTemplate.shared
        var generator = SeededGenerator(seed: 10)
        let before = template.segments.filter { $0 < template.target }.last ?? ""
        for round in 0..<5 {
            var bit = 0
            let archive = try await archive(template, codec) { bytes in
                bit = position(bytes, codec, &generator)
                bytes = bytes.flipped(bit: bit)
            }
            let program = try WALProgram(
                archive, control: template.control, signal: "recovery",
                ["WALG_COMPRESSION_METHOD": codec, "WALG_DOWNLOAD_CONCURRENCY": "4"])
            #expect(try await program.fetch(before).outcome.exitCode == 0)
            // In the foreground, so that it has certainly been here.
            let ahead = try await program.run("wal-prefetch", before, "pg_wal/RECOVERYXLOG")
            #expect(ahead.exitCode == 0, "\(ahead)")
            try await judge(template, program, "\(codec) round \(round) bit \(bit)")
        }
    }

    @Test(arguments: codecs)
    func `a cut object is never delivered`(_ codec: String) async throws {
        let template = try await WALTemplate.shared
        var generator = SeededGenerator(seed: 5)
        for round in 0..<8 {
            var length = 0
            let archive = try await archive(template, codec) { bytes in
                length = Int.random(in: 0..<bytes.count, using: &generator)
                if round < 2 { length = round == 0 ? bytes.count - 1 : 0 }
                bytes = Array(bytes[..<length])
            }
            let program = try WALProgram(
                archive, control: template.control, signal: "recovery", ["WALG_COMPRESSION_METHOD": codec])
            try await judge(template, program, "\(codec) cut to \(length)")
        }
    }

    @Test(arguments: codecs)
    func `another segment's object, and another cluster's, is never delivered`(_ codec: String) async throws {
        let template = try await WALTemplate.shared
        let other = template.segments.first { $0 != template.target } ?? ""
        let swapped = try #require(template.objects[codec]?.first { $0.key.text == WALTemplate.key(other, codec) })
        let archive = try await archive(template, codec) { $0 = swapped.bytes }
        let settings = ["WALG_COMPRESSION_METHOD": codec]
        let program = try WALProgram(archive, control: template.control, signal: "recovery", settings)
        let (outcome, content) = try await program.fetch(template.target)
        #expect(outcome.exitCode == 202 && content == nil, "\(outcome)")
        // The same name and place, written by a cluster with another identifier.
        let number = UInt64(template.target.suffix(8), radix: 16) ?? 0
        let foreign = SyntheticSegment(number: number)
        let elsewhere = try await WALArchive.make(.directory)
        let writer = try WALProgram(elsewhere, settings)
        #expect(try await writer.push(foreign.name, foreign.bytes).exitCode == 0)
        let stored = try await elsewhere.stored(WALTemplate.key(foreign.name, codec)) ?? []
        try await archive.replace(WALTemplate.key(template.target, codec), stored)
        let refused = try await program.fetch(template.target)
        #expect(refused.outcome.exitCode == 202 && refused.content == nil, "\(refused.outcome)")
    }
}
