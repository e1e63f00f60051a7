import Bytes
import Testing

@Suite struct PartTests {
    private func contents(_ part: Part) -> [UInt8] { part.withUnsafeBytes { Array($0) } }

    @Test func `a part takes what fits and says how much`() {
        let part = Part(capacity: 5)
        #expect(part.append(([1, 2, 3] as [UInt8]).span.bytes) == 3)
        #expect(part.available == 2 && !part.isFull)
        #expect(part.append(([4, 5, 6] as [UInt8]).span.bytes) == 2)
        #expect(part.isFull && part.count == 5)
        #expect(part.append(([7] as [UInt8]).span.bytes) == 0)
        #expect(contents(part) == [1, 2, 3, 4, 5])
        part.reset()
        #expect(part.count == 0 && contents(part).isEmpty)
    }

    @Test func `free space is filled in place`() {
        let part = Part(capacity: 4)
        part.append(([1] as [UInt8]).span.bytes)
        part.fill { buffer in
            #expect(buffer.count == 3)
            buffer[0] = 2
            buffer[1] = 3
            return 2
        }
        #expect(contents(part) == [1, 2, 3])
        #expect(part.withBytes { $0.byteCount } == 3)
    }

    @Test func `a failed filling adds nothing`() {
        struct Failure: Error, Equatable {}
        let part = Part(capacity: 4)
        #expect(throws: Failure()) { try part.fill { _ throws(Failure) in throw Failure() } }
        #expect(part.count == 0)
    }
}
