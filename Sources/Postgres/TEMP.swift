package struct WALSegmentVerifier { package init(name: WALSegmentName, size: WALSegmentSize, systemIdentifier: UInt64?, isPartial: Bool) {}
 package mutating func update(_ b: RawSpan) throws(PostgresError) {} 
 package mutating func finish() throws(PostgresError) {} }
