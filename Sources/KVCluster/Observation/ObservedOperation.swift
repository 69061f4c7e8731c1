/// One operation on a watched key, as its caller saw it. Of key and value there is a hash, and a beginning for people.
package struct ObservedOperation: Sendable {
  package typealias Kind = ClientOperation.Kind

  package enum Outcome: UInt8, Sendable {
    /// It has not returned.
    case open
    case done
    /// It had no effect, and none will come.
    case failed
    /// It may have an effect at any time, or none.
    case unknown
  }

  package var id: UInt64 = 0
  /// How often its slot has been used.
  var use: UInt64 = 0
  /// The count before it began, and when it had ended; see ``OperationTap``.
  package var invokedAt: UInt64 = 0
  package var returnedAt: UInt64 = 0
  /// The key's place on the ring, by which it is watched.
  package var hash: UInt64
  /// The key itself: 64 bits of SipHash with a key drawn by the process, so nobody can make two keys look the same.
  package var identity: UInt64
  /// What was written, or found by a get.
  package var value: ObservedValue
  /// What a read-modify-write found, to which alone it may be applied; `nil` if that is not known, nor what it writes.
  package var base: ObservedValue?
  package var kind: Kind
  package var outcome = Outcome.open
  package var keyStart: BytesStart

  package init(
    kind: Kind, key: UnsafeRawBufferPointer, hash: UInt64, value: ObservedValue, base: ObservedValue? = nil
  ) {
    self.kind = kind
    self.hash = hash
    self.value = value
    self.base = base
    var hasher = Hasher()
    hasher.combine(bytes: key)
    identity = UInt64(bitPattern: Int64(hasher.finalize()))
    keyStart = BytesStart(key)
  }

  /// How it ended; apart, for its caller writes it while the consumer may read the rest.
  struct Ending {
    var returnedAt: UInt64 = 0
    var outcome = Outcome.open
    var found: ObservedValue?
  }

  func ended(_ ending: Ending) -> ObservedOperation {
    var ended = self
    ended.returnedAt = ending.returnedAt
    ended.outcome = ending.outcome
    if let found = ending.found { ended.value = found }
    return ended
  }
}

/// A value as far as a checker needs it.
package struct ObservedValue: Sendable, Equatable {
  /// XXH64, and 0 only for no value. If two values should collide they are taken for one, which can hide a stale read,
  /// and never makes one up.
  package var hash: UInt64
  package var start: BytesStart

  package static let absent = ObservedValue(hash: 0, start: BytesStart(UnsafeRawBufferPointer(start: nil, count: 0)))

  package init(_ bytes: UnsafeRawBufferPointer) {
    hash = max(ObservedValue.hashMin, XXHash64.hash(bytes))
    start = BytesStart(bytes)
  }

  /// Below it are hashes with meanings of their own.
  package static let hashMin: UInt64 = 16

  private init(hash: UInt64, start: BytesStart) {
    self.hash = hash
    self.start = start
  }
}

/// The first bytes of some, and how many there are.
package struct BytesStart: Sendable, Equatable {
  package static let countMax = 24
  package var byteCount: Int
  private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)

  package init(_ bytes: UnsafeRawBufferPointer) {
    byteCount = bytes.count
    withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix($0.count))) }
  }

  package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0.prefix(byteCount)) } }
  package var isWhole: Bool { byteCount <= BytesStart.countMax }

  package static func == (a: BytesStart, b: BytesStart) -> Bool { a.byteCount == b.byteCount && a.words == b.words }
}
