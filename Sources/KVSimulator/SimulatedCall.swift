import KVCluster

/// What a client asked, and was told.
struct SimulatedCall {
  let client: Int
  /// The group's name if it is of one (``SimulatedGroup``).
  let key: [UInt8]
  var scope = SimulatedScope.key
  let call: ClientOperation.Call
  var consistency: Consistency?
  let invokedAt: Int
  var returnedAt: Int?
  /// The same in virtual time.
  let invokedNs = Clock.nowNs()
  var returnedNs: UInt64?
  var outcome: ClientOperation.Outcome?
  /// What an update has found; `.none` if nobody knows.
  var base: History.Contents?
  /// It has found a value that had ended before it was asked.
  var hasFoundEnded = false
  /// Batches could not be kept whole: more was lost than any promise covers.
  var isVoid = false

  /// For the checker; `nil` for what was refused.
  var recorded: History.Operation? {
    guard let outcome, let returnedAt else { return nil }
    // One owner may be behind, and promises nothing about the others: such a read says nothing, and such a write may
    // take effect at any time.
    if consistency == .one, self.call == .get { return nil }
    if isVoid { return nil }
    let call: History.Call
    var result: History.Outcome
    switch outcome {
    case .done: result = consistency == .one ? .unknown : .done
    // Nobody has written such a value.
    case .found(let value?) where hasFoundEnded: result = .found(value + Array(" after its end".utf8))
    case .found(let value): result = .found(value)
    case .undecided: result = .unknown
    case .unmet: return nil
    }
    switch self.call {
    case .get: call = .get
    case .put(let value, _): call = .put(value)
    case .delete: call = .delete
    case .update:
      if hasFoundEnded {
        call = .get
      } else if let base, let written {
        call = .compareAndSet(expected: base, new: written)
        if result != .unknown { result = .swapped(true) }
      } else {
        if result == .unknown { return nil }
        call = .get
      }
    }
    return History.Operation(
      process: client, key: key, call: call, invokedAt: invokedAt, returnedAt: result == .unknown ? nil : returnedAt,
      outcome: result)
  }

  /// The question alone.
  var asked: String {
    var key = String(decoding: key, as: UTF8.self)
    if case .group(let members) = scope { key += " (\(members.count) keys)" }
    if case .member(let member) = scope { key = String(decoding: member, as: UTF8.self) }
    let level = consistency.map { " at \($0.rawValue)" } ?? ""
    switch call {
    case .get: return "get \(key)" + level
    case .put(let value, nil): return "put \(key) \(words(value))" + level
    case .put(let value, .after(let ms)): return "put \(key) \(words(value)) for \(ms) ms" + level
    case .put(let value, .at(let ms)): return "put \(key) \(words(value)) until \(ms)" + level
    case .delete: return "del \(key)" + level
    case .update(.replace(let value, .set(.at(let ms)))): return "getset \(key) \(words(value)) until \(ms)"
    case .update(.replace(let value, _)): return "getset \(key) \(words(value))"
    case .update(.insert(let value)): return "setnx \(key) \(words(value))"
    case .update(.overwrite(let value)): return "setxx \(key) \(words(value))"
    case .update(.append(let value)): return "append \(key) \(words(value))"
    case .update(.swap(let expected, let new)):
      return "cas \(key) \(expected.map(words) ?? "nothing") \(new.map(words) ?? "nothing")"
    case .update(.delete): return "getdel \(key)"
    case .update(.expire(.none)), .update(.expire(.kept)): return "persist \(key)"
    case .update(.expire(.set(.after(let ms)))): return "pexpire \(key) \(ms)"
    case .update(.expire(.set(.at(let ms)))): return "pexpireat \(key) \(ms)"
    }
  }

  private func words(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  var words: String {
    switch outcome {
    case .done: return asked + " → done"
    case .found(let value): return asked + " → " + (value.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")
    case .undecided: return asked + " → unknown"
    case .unmet: return asked + " → too few owners"
    case nil: return asked + " → "
    }
  }
}
