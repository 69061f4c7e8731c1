/// What clients asked of the store and what they were told, in the order it happened.
///
/// Time is a plain integer of the caller's choosing (a line number, a sequence number, virtual nanoseconds); only the
/// order matters. One operation precedes another if it returned at a *smaller* time than the other was invoked at;
/// equal times count as overlapping, so a coarse clock can hide a violation but never invent one.
package struct History: Sendable, Equatable {
  /// A register's contents; `nil` is absent: never written, or deleted.
  package typealias Contents = [UInt8]?

  /// What a client asked for. All but `get` are writes; `put` and `delete` are blind ones.
  package enum Call: Sendable, Equatable {
    case get
    case put([UInt8])
    case delete
    case compareAndSet(expected: Contents, new: Contents)
    /// Appends to what is there; to an absent register it acts as a put.
    case append([UInt8])
  }

  /// What a client was told.
  package enum Outcome: Sendable, Equatable {
    /// Timed out or lost its answer: it takes effect at some later time, or never.
    case unknown
    /// A put, delete or append took effect.
    case done
    /// A get returned this.
    case found(Contents)
    /// A compare-and-set took effect, or found something other than it expected.
    case swapped(Bool)
  }

  /// One call and its answer.
  package struct Operation: Sendable, Equatable {
    package var process: Int
    package var key: [UInt8]
    package var call: Call
    package var invokedAt: Int
    /// `nil` for an indeterminate operation: it stays open to the end of the history.
    package var returnedAt: Int?
    package var outcome: Outcome

    /// - Precondition: `outcome` fits `call`, is `.unknown` exactly if `returnedAt` is `nil`, and time runs forwards.
    package init(
      process: Int, key: [UInt8], call: Call, invokedAt: Int, returnedAt: Int? = nil, outcome: Outcome = .unknown
    ) {
      precondition((returnedAt == nil) == (outcome == .unknown), "an answer without a time, or a time without answer")
      precondition(invokedAt <= returnedAt ?? invokedAt, "returned at \(returnedAt ?? 0), invoked at \(invokedAt)")
      switch (call, outcome) {
      case (_, .unknown), (.get, .found), (.compareAndSet, .swapped), (.put, .done), (.delete, .done), (.append, .done):
        break
      case (.get, _), (.compareAndSet, _), (.put, _), (.delete, _), (.append, _):
        preconditionFailure("\(outcome) is no answer to \(call)")
      }
      self.process = process
      self.key = key
      self.call = call
      self.invokedAt = invokedAt
      self.returnedAt = returnedAt
      self.outcome = outcome
    }
  }

  /// In any order. What certainly did not happen is left out.
  package var operations: [Operation]
  /// The contents that a key may start with; any one of them will do.
  package var initialContents: [Contents]
  /// Exceptions to ``initialContents``: after a loss of power, the contents that a key may have rolled back to.
  package var initialContentsByKey: [[UInt8]: [Contents]]

  package init(
    _ operations: [Operation], initialContents: [Contents] = [nil], initialContentsByKey: [[UInt8]: [Contents]] = [:]
  ) {
    self.operations = operations
    self.initialContents = initialContents
    self.initialContentsByKey = initialContentsByKey
  }

  /// The history of each key by itself, in the order in which `operations` first names them.
  ///
  /// Linearizability is local (Herlihy and Wing 1990, theorem 1): a history is linearizable exactly if each key's is.
  func byKey() -> [RegisterHistory] {
    var indices: [[UInt8]: Int] = [:]
    var parts: [RegisterHistory] = []
    for operation in operations {
      if let index = indices[operation.key] {
        parts[index].operations.append(operation)
      } else {
        indices[operation.key] = parts.count
        let initial = initialContentsByKey[operation.key] ?? initialContents
        precondition(!initial.isEmpty, "a register must start with something, if only nothing")
        parts.append(RegisterHistory(operations: [operation], initialContents: initial))
      }
    }
    return parts
  }
}

/// The operations on one key, and what it may hold at the start.
package struct RegisterHistory: Sendable, Equatable {
  package var operations: [History.Operation]
  package var initialContents: [History.Contents]

  package init(operations: [History.Operation], initialContents: [History.Contents]) {
    self.operations = operations
    self.initialContents = initialContents
  }

  /// What was known at `time`: later calls had not been made, and calls in flight were open.
  func prefix(through time: Int) -> RegisterHistory {
    var prefix = RegisterHistory(operations: [], initialContents: initialContents)
    for var operation in operations where operation.invokedAt <= time {
      if let returnedAt = operation.returnedAt, returnedAt > time {
        operation.returnedAt = nil
        operation.outcome = .unknown
      }
      prefix.operations.append(operation)
    }
    return prefix
  }

  /// An append's result is new contents made of old ones, which takes away most shortcuts.
  var hasAppends: Bool {
    operations.contains { if case .append = $0.call { true } else { false } }
  }

  /// A compare-and-set that was refused is the one answer that *any* other contents explain.
  var hasRefusals: Bool {
    operations.contains { $0.outcome == .swapped(false) }
  }
}

extension History.Operation {
  /// The contents that this operation saw, or would have to see to take effect; `.none` if it looks at nothing.
  var observes: History.Contents? {
    switch (call, outcome) {
    case (.get, .found(let contents)): .some(contents)
    case (.compareAndSet(let expected, _), _): .some(expected)
    case (.get, _), (.put, _), (.delete, _), (.append, _): .none
    }
  }

  /// Changes nothing, whatever the register holds: a get, or a refused compare-and-set.
  var isPure: Bool {
    call == .get || outcome == .swapped(false)
  }
}
