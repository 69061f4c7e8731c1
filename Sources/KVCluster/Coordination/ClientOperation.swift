import Text

/// One put, get or delete of a client, from its call to its answer, whichever way it is carried: what is asked, at which
/// level, and what is observed of it.
///
/// Made by the data path, which checks the bounds once; the bytes stay the caller's. When an operation counts as done is
/// decided by ``WriteOperation`` and ``ReadOperation``.
package struct ClientOperation: Sendable {
  package enum Kind: UInt8, Sendable {
    case get, put, delete
    /// A read-modify-write.
    case update
    /// The deletion of an expired value: a read-modify-write of no client, neither timed nor counted.
    case expiry
  }

  /// What is asked of a key, with bytes of its own: for callers that cannot lend theirs until the answer.
  package enum Call: Sendable, Equatable {
    case get
    case put([UInt8], ExpiryTime? = nil)
    case delete
    case update(Update)
  }

  /// How an operation ended that its caller had to wait for.
  package enum Outcome: Sendable, Equatable {
    case done
    /// A read's value; `nil` for none.
    case found([UInt8]?)
    /// Too few owners answered in time: a write may have been applied or not, and of a read nothing is known.
    case undecided
    /// A read-modify-write did not find enough owners at once in time: nothing was done.
    case unmet
  }

  package let kind: Kind
  /// The key's place on the ring.
  package let hash: UInt64
  /// `nil` for the cluster's own level.
  package let consistency: Consistency?
  /// When it was called; 0 if it is not timed.
  let startedNs: UInt64
  /// Its slot in the tap, if its key is watched.
  var record: Int?

  @inline(__always)
  init(_ kind: Kind, hash: UInt64, _ consistency: Consistency?, startedNs: UInt64) {
    self.kind = kind
    self.hash = hash
    self.consistency = consistency
    self.startedNs = startedNs
  }

  @inline(__always)
  static func check(keyBytes: Int, valueBytes: Int) throws(ClusterError) {
    if keyBytes < 1 || keyBytes > Limits.keyBytesMax || valueBytes > Limits.valueBytesMax {
      throw outOfBounds(keyBytes, valueBytes)
    }
  }

  @inline(never)
  private static func outOfBounds(_ keyBytes: Int, _ valueBytes: Int) -> ClusterError {
    if keyBytes < 1 || keyBytes > Limits.keyBytesMax {
      return .invalidArgument(
        "a key has 1 to \(Figures.count(Limits.keyBytesMax, "byte")), this one has \(Figures.count(keyBytes))")
    }
    return .invalidArgument(
      "a value has at most \(Figures.given(bytes: Limits.valueBytesMax)), this one has \(Figures.count(valueBytes, "byte"))"
    )
  }
}
