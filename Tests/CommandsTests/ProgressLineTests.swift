import Bytes
import Commands
import Testing

@Suite struct ProgressLineTests {
    private final class World: Sendable {
        let now = Locked(Timestamp(seconds: 1000))
        let written = Locked<[String]>([])

        func line(_ style: ProgressLine.Style) -> ProgressLine {
            ProgressLine(
                title: "push", style: style, clock: { self.now.withLock { $0 } },
                write: { text in self.written.withLock { $0.append(text) } })
        }

        func wait(_ duration: Duration) { now.withLock { $0 = $0.advanced(by: duration) } }
        var texts: [String] { written.withLock { $0 } }
    }

    @Test func `without a terminal there is a line every ten seconds and one at the end`() {
        let world = World()
        let line = world.line(.lines)
        line.started(total: 100 << 20)
        for _ in 0..<10 {
            world.wait(.seconds(2))
            line.advanced(by: 4 << 20)
        }
        line.finished()
        line.finished()
        #expect(
            world.texts == [
                "push: 20.0 MiB of 100.0 MiB (20%), 2.0 MiB/s, 00:40 left\n",
                "push: 40.0 MiB of 100.0 MiB (40%), 2.0 MiB/s, 00:30 left\n",
                "push: 40.0 MiB of 100.0 MiB (40%), 2.0 MiB/s, 00:30 left\n",
            ])
    }

    @Test func `on a terminal the line is drawn over itself`() {
        let world = World()
        let line = world.line(.terminal)
        line.started(total: nil)
        line.advanced(by: 1)
        world.wait(.seconds(1))
        line.advanced(by: 999_999)
        world.wait(.milliseconds(1))
        line.advanced(by: 1)
        world.wait(.seconds(9))
        line.finished()
        #expect(
            world.texts == [
                "\rpush: 976.5 KiB, 976.5 KiB/s",
                "\rpush: 976.5 KiB, 97.6 KiB/s \n",
            ])
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1 << 20, "1.0 MiB"),
        (1_048_575, "1023.9 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB"), (1 << 60, "1024.0 PiB"),
    ])
    func `counts of bytes are shown with a unit`(count: Int, text: String) {
        #expect(ByteText.text(count) == text)
    }
}
