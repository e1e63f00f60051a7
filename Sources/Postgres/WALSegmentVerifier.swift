import Bytes

/// Checks a WAL segment as its bytes pass, in constant memory: every page header, and the length, the link to the
/// record before and the CRC of every record that begins and ends in the segment.
///
/// What it takes care never to refuse, since PostgreSQL archives it:
/// * the first segment of a timeline, whose copied pages carry the number of the timeline before;
/// * a record that lost its continuation in a crash and was given up (`XLP_FIRST_IS_OVERWRITE_CONTRECORD`);
/// * records longer than a page or a segment, and headers split over pages or segments;
/// * anything after a switch record. Usually that is zeros, but a crash just after the switch leaves what the file held
///   before it was recycled, and PostgreSQL then archives it so. No reader looks at it; see `hasStaleTail`.
///
/// Not covered by any check: alignment gaps after records, unused bytes of page headers, the flag
/// `XLP_BKP_REMOVABLE`, and what follows a switch record. A record that goes on in the next segment is checked there,
/// with what `carried` tells; without that only its lengths are.
package struct WALSegmentVerifier: Sendable {
    /// The header, once the first page has passed.
    package private(set) var header: WALSegmentHeader?
    /// Records whose CRC was checked.
    package private(set) var recordCount = 0
    /// Where the last record that was checked begins.
    package private(set) var lastRecord: LSN?
    /// Where the content ends, in bytes from the segment's start: after a switch record, or where a partial segment
    /// was left; nil when it goes on to the end.
    package private(set) var contentEnd: Int?
    /// Whether there is anything but zeros after a switch record.
    package private(set) var hasStaleTail = false

    /// After `finish`: the record that goes on in the next segment; nil when there is none, or its start was not seen.
    package private(set) var carried: CarriedRecord?

    private let continuing: CarriedRecord?
    private let name: WALSegmentName
    private let size: WALSegmentSize
    private let systemIdentifier: UInt64?
    private let isPartial: Bool
    private let start: LSN

    /// Bytes taken so far, of whole pages and of the one being collected.
    private var position = 0
    /// The page being collected, when chunks do not end with pages.
    private var collected: [UInt8] = []
    private var lastTimeline: TimelineID = 0
    private var record = PendingRecord()

    /// Prepares to check the segment `name` of a cluster with segments of `size`.
    ///
    /// With `systemIdentifier`, a segment of another cluster is refused. A partial segment may end anywhere after the
    /// header of its first page, but has the full size, too. With `continuing`, the record that the segment before
    /// began is checked as well.
    package init(
        name: WALSegmentName, size: WALSegmentSize, systemIdentifier: UInt64?, isPartial: Bool,
        continuing: CarriedRecord? = nil
    ) {
        self.continuing = continuing?.segment == name ? continuing : nil
        self.name = name
        self.size = size
        self.systemIdentifier = systemIdentifier
        self.isPartial = isPartial
        start = name.start(size)
    }

    /// Takes the next bytes, any number of them.
    ///
    /// - Throws: `PostgresError` as soon as something is wrong; the verifier is then of no more use.
    package mutating func update(_ chunk: RawSpan) throws(PostgresError) {
        guard position + chunk.byteCount <= size.byteCount else {
            throw failure(
                .malformed, at: size.byteCount, "the segment is longer than \(size.byteCount) bytes")
        }
        var taken = 0
        while taken < chunk.byteCount {
            if collected.isEmpty && chunk.byteCount - taken >= PageHeader.pageSize {
                let page = chunk.extracting(taken..<taken + PageHeader.pageSize)
                try check(page: page, at: position)
                taken += PageHeader.pageSize
                position += PageHeader.pageSize
                continue
            }
            let wanted = min(PageHeader.pageSize - collected.count, chunk.byteCount - taken)
            collected.append(chunk.extracting(taken..<taken + wanted))
            taken += wanted
            position += wanted
            if collected.count == PageHeader.pageSize {
                var page: [UInt8] = []
                swap(&page, &collected)
                try check(page: unsafe page.span.bytes, at: position - PageHeader.pageSize)
                page.removeAll(keepingCapacity: true)
                swap(&page, &collected)
            }
        }
    }

    /// Says that the segment has ended.
    ///
    /// - Throws: `truncated` when it is not as long as segments are.
    package mutating func finish() throws(PostgresError) {
        guard position == size.byteCount else {
            throw failure(.truncated, at: position, "the segment ends after \(position) of \(size.byteCount) bytes")
        }
        if contentEnd == nil { carried = record.carried(into: name.next(size), from: start) }
    }

    private func failure(_ kind: PostgresError.Kind, at offset: Int, _ detail: String) -> PostgresError {
        let subject = isPartial ? WALFileName.partial(name).text : name.description
        return PostgresError(kind, subject: subject, offset: offset, detail: detail)
    }

    /// Starts with what the segment before left over.
    ///
    /// A record that the crash after it gave up leaves nothing.
    private mutating func beginRest(_ count: UInt32) throws(PostgresError) {
        guard count > 0, let continuing else { return record.expectRest(count) }
        guard continuing.remaining == count else {
            throw failure(
                .corrupted, at: 16,
                "\(count) bytes of the record at \(continuing.start), which lacks \(continuing.remaining)")
        }
        record.resume(continuing)
    }

    private mutating func check(page: RawSpan, at offset: Int) throws(PostgresError) {
        if contentEnd != nil {
            if !isPartial && !hasStaleTail { hasStaleTail = !page.isZero }
            return
        }
        if offset == 0 {
            try check(firstPage: page)
            try beginRest(header?.remainingByteCount ?? 0)
        }
        do {
            try checkRecords(page: page, at: offset)
        } catch {
            guard isPartial else { throw error }
            contentEnd = offset
        }
    }
}

// MARK: Page headers

extension WALSegmentVerifier {
    private mutating func check(firstPage page: RawSpan) throws(PostgresError) {
        let subject = isPartial ? WALFileName.partial(name).text : name.description
        let header = try WALSegmentHeader(parsing: page, subject: subject)
        guard name.isPossible(size) else {
            throw failure(.foreign, at: 0, "no segment of a cluster with segments of \(size) has this name")
        }
        guard header.segmentSize == size else {
            throw failure(
                .foreign, at: 32, "written for segments of \(header.segmentSize), expected \(size)")
        }
        guard header.pageAddress == start else {
            throw failure(
                .foreign, at: 8,
                "holds the WAL from \(header.pageAddress) on, where \(start) is expected: it is another segment's file")
        }
        guard header.timeline <= name.timeline else {
            throw failure(.foreign, at: 4, "written on timeline \(header.timeline), later than the name's")
        }
        if let expected = systemIdentifier, expected != header.systemIdentifier {
            throw failure(
                .foreign, at: 24,
                "written by the cluster with system identifier \(header.systemIdentifier), expected \(expected)")
        }
        let continues = header.flags & WALPageFlags.continuation != 0
        guard continues == (header.remainingByteCount > 0) else {
            throw failure(.corrupted, at: 16, "the page's flags and the rest of a record do not agree")
        }
        lastTimeline = header.timeline
        self.header = header
    }

    /// Checks a page's header against what must come there; says where its records begin.
    private mutating func checkHeader(page: RawSpan, at offset: Int) throws(PostgresError) -> Int {
        let flags = page.uint16(at: 2)
        if offset > 0 {
            let magic = page.uint16(at: 0)
            let address = LSN(page.uint64(at: 8))
            let expected = LSN(start.rawValue &+ UInt64(offset))
            guard magic == header?.magic else {
                guard !page.isZero else {
                    throw failure(.incomplete, at: offset, "nothing was written from here on")
                }
                throw failure(.corrupted, at: offset, "\(Hex.digits(magic, width: 4)) in place of a WAL page's magic")
            }
            guard address == expected else {
                let isStale = address < start && address.rawValue.isMultiple(of: UInt64(PageHeader.pageSize))
                throw failure(
                    isStale ? .incomplete : .corrupted, at: offset + 8,
                    "page address \(address), expected \(expected)"
                        + (isStale ? ": nothing was written here since the file was recycled" : ""))
            }
            let timeline = TimelineID(page.uint32(at: 4))
            guard timeline >= lastTimeline, timeline <= name.timeline else {
                throw failure(.corrupted, at: offset + 4, "timeline \(timeline) after timeline \(lastTimeline)")
            }
            lastTimeline = timeline
            guard flags & ~WALPageFlags.all == 0, flags & WALPageFlags.longHeader == 0 else {
                throw failure(.corrupted, at: offset + 2, "page flags \(Hex.digits(flags, width: 4))")
            }
        }
        let rest = page.uint32(at: 16)
        if flags & WALPageFlags.overwroteContinuation != 0 {
            guard flags & WALPageFlags.continuation == 0, rest == 0 else {
                throw failure(.corrupted, at: offset + 2, "page flags \(Hex.digits(flags, width: 4))")
            }
            record.giveUp()
        } else {
            let expected = record.remaining
            guard rest == expected, (flags & WALPageFlags.continuation != 0) == (expected > 0) else {
                throw failure(
                    .corrupted, at: offset + 16,
                    "\(rest) bytes of a record begun before, expected \(expected)")
            }
        }
        return offset == 0 ? WALSegmentHeader.byteCount : 24
    }
}

// MARK: Records

extension WALSegmentVerifier {
    private mutating func checkRecords(page: RawSpan, at offset: Int) throws(PostgresError) {
        var next = try checkHeader(page: page, at: offset)
        while next < page.byteCount {
            if record.remaining == 0 {
                try beginRecord(page: page, at: offset, next)
            }
            let count = min(Int(record.remaining), page.byteCount - next)
            let part = page.extracting(next..<next + count)
            if record.add(part) { try checkRecordHeader() }
            next += count
            guard record.remaining == 0 else { return }
            let ended = try endRecord(page: page, next: next)
            next = (next + 7) & ~7
            if ended {
                contentEnd = offset + next
                hasStaleTail = !page.extracting(next..<page.byteCount).isZero
                return
            }
        }
    }

    private mutating func beginRecord(page: RawSpan, at offset: Int, _ next: Int) throws(PostgresError) {
        // Records begin at multiples of 8, hence the length is always whole.
        let length = page.uint32(at: next)
        guard length >= WALRecordHeader.byteCount, length <= UInt32(Int32.max) else {
            let isEmpty = length == 0 && page.extracting(next..<page.byteCount).isZero
            throw failure(
                isEmpty ? .incomplete : .corrupted, at: offset + next,
                isEmpty ? "nothing was written from here on" : "a record of \(length) bytes")
        }
        record.begin(length, at: offset + next, isOverwrite: overwrites(page, at: offset, next))
    }

    private func overwrites(_ page: RawSpan, at offset: Int, _ next: Int) -> Bool {
        page.uint16(at: 2) & WALPageFlags.overwroteContinuation != 0
            && next == (offset == 0 ? WALSegmentHeader.byteCount : 24)
    }

    /// Checks a header as soon as it is complete; the CRC follows at the record's end.
    private func checkRecordHeader() throws(PostgresError) {
        let header = WALRecordHeader(unsafe record.header.span.bytes)
        guard header.hasKnownResourceManager else {
            throw failure(
                .corrupted, at: record.offset, "a record of the unknown resource manager \(header.resourceManager)")
        }
        let expected = lastRecord
        guard expected.map({ header.previous == $0 }) ?? (header.previous < start) else {
            throw failure(
                .corrupted, at: record.offset,
                "a record that follows the one at \(header.previous), expected "
                    + (expected.map { "the one at \($0)" } ?? "one before \(start)"))
        }
        guard header.isOverwriteContinuation == record.isOverwrite else {
            throw failure(.corrupted, at: record.offset, "the record and its page do not agree on what was given up")
        }
    }

    /// Checks the CRC of a record all of whose bytes have passed; says whether it was a switch record.
    private mutating func endRecord(page: RawSpan, next: Int) throws(PostgresError) -> Bool {
        guard record.isVerifiable else { return isForeignSwitch(page: page, next: next) }
        let header = WALRecordHeader(unsafe record.header.span.bytes)
        let computed = record.checksum
        guard computed == header.checksum else {
            throw failure(
                .corrupted, at: record.offset,
                "a record \(record.carriedStart.map { "that begins at \($0) " } ?? "")with CRC "
                    + "\(Hex.digits(computed, width: 8)), expected \(Hex.digits(header.checksum, width: 8))")
        }
        recordCount += 1
        lastRecord = record.carriedStart ?? LSN(start.rawValue + UInt64(record.offset))
        return header.isSwitch
    }

    /// Whether a record begun in the segment before, and now ended, switched segments.
    ///
    /// A switch record is a header only; when it is split over two segments, it is the second that it ends. Only the
    /// last 8 or 16 bytes of it are here; what follows must then be zeros.
    private func isForeignSwitch(page: RawSpan, next: Int) -> Bool {
        guard header?.remainingByteCount == 8 || header?.remainingByteCount == 16, lastRecord == nil else {
            return false
        }
        return WALRecordHeader.isSwitch(info: page.uint8(at: next - 8), resourceManager: page.uint8(at: next - 7))
            && page.extracting(next..<page.byteCount).isZero
    }
}
