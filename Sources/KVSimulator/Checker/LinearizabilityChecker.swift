/// What the checker found.
package enum Verdict: Sendable, Equatable {
  /// Each key's operations can be put in an order that agrees with time and explains every answer.
  case linearizable
  /// No such order exists; the evidence is for one key, the first in the history's order that has any.
  case violation(Violation)
  /// The search for this key grew past ``CheckerLimits/searchBytesMax``. Nothing is known to be wrong.
  case undecided(key: [UInt8])
}

/// Evidence that a history is not linearizable: operations on one key that no order explains.
package struct Violation: Sendable, Equatable {
  package var key: [UInt8]
  /// What the key may hold at the start.
  package var initialContents: [History.Contents]
  /// The offending operations by invocation, as they stood when the last of them returned: calls still in flight at
  /// that moment are shown open. Shrunk so that taking away any further one would take away the proof.
  package var operations: [History.Operation]

  package init(key: [UInt8], initialContents: [History.Contents], operations: [History.Operation]) {
    self.key = key
    self.initialContents = initialContents
    self.operations = operations
  }
}

/// Bounds of a check. Linearizability is NP-complete (Gibbons and Korach 1997), so a hostile history needs them.
package struct CheckerLimits: Sendable {
  /// What the search of one key may remember, in bytes; arrays that grow may take twice that for a moment.
  /// A configuration takes about 60 bytes, and 4 more for each kind of write that stayed open. The worst of the
  /// recorded histories needs less than 1 MB.
  package var searchBytesMax = 1 << 30
  /// The same for each trial while a violation is shrunk, where giving up only leaves one more operation in the proof.
  package var trialBytesMax = 16 << 20
  /// Operations looked at and configurations visited, in all trials together; a second takes some
  /// three million.
  package var shrinkStepsMax = 20_000_000

  package init() {}
}

/// Decides whether histories of put, get, delete, compare-and-set and append are linearizable, key by key.
///
/// The algorithm is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with the memory of
/// visited configurations of Lowe ("Testing for linearizability", 2017): see `LinearizationSearch`. What is special
/// about registers shortens the search; `RegisterProblem` and `LinearizationSearch` state each shortcut with its
/// proof. The alternative for distinct values, the zones of Gibbons and Korach, is faster only on histories that the
/// shortcuts already make nearly linear, and allows neither deletes (which all write the same contents) nor
/// compare-and-set.
package enum LinearizabilityChecker {
  /// Checks all keys.
  ///
  /// - Parameters:
  ///   - history: operations of any number of keys, in the order in which they were called.
  ///   - limits: how large the search may grow before it gives up.
  ///   - shrinks: whether a violation is cut down to what matters; without it, it holds the shortest prefix of the
  ///     key's history that fails.
  /// - Complexity: O(n · c) for n operations of which at most c overlap, as long as the answers leave little choice,
  ///   as they do when values are distinct. Exponential in c at worst, up to `limits`.
  package static func check(
    _ history: History, limits: CheckerLimits = CheckerLimits(), shrinks: Bool = true
  ) -> Verdict {
    var undecided: [UInt8]?
    for part in history.byKey() {
      let key = part.operations[0].key
      switch decide(part, bytesMax: limits.searchBytesMax).result {
      case .linearizable:
        continue
      case .undecided:
        undecided = undecided ?? key
      case .violation(let stuckAt):
        var shrinker = ViolationShrinker(part, limits: limits)
        shrinker.cutToShortestPrefix(from: stuckAt)
        if shrinks { shrinker.dropWhatDoesNotMatter() }
        let offending = shrinker.offending
        return .violation(
          Violation(key: key, initialContents: offending.initialContents, operations: offending.operations))
      }
    }
    return undecided.map(Verdict.undecided) ?? .linearizable
  }

  /// Checks one key, and counts the configurations that it took.
  static func decide(
    _ history: RegisterHistory, bytesMax: Int
  ) -> (result: LinearizationSearch.Result, configurationCount: Int) {
    var search = LinearizationSearch(RegisterProblem(history), bytesMax: bytesMax)
    return (search.run(), search.configurationCount)
  }
}
