import Synchronization

/// Reads and writes while links are faulty: by message, through the exchange.
extension Cluster {
  func sendWrite(
    _ call: MessageOperation.Call, _ key: [UInt8], _ consistency: Consistency? = nil
  ) async throws(ClusterError) {
    try checkWritten(await send(call, key, consistency), consistency)
  }

  func sendRead(_ key: [UInt8], _ consistency: Consistency? = nil) async throws(ClusterError) -> [UInt8]? {
    try checkRead(await send(.get, key, consistency), of: key, consistency)
  }

  private func send(
    _ call: MessageOperation.Call, _ key: [UInt8], _ consistency: Consistency?
  ) async throws(ClusterError) -> MessageOperation.Outcome {
    let tag = try prepare(call, key)
    return await withUnsafeContinuation { continuation in
      let hash = key.withBytes { Ring.hash($0) }
      exchange.begin(call, hash: hash, key: key, tag: tag, consistency: consistency) { outcome in
        continuation.resume(returning: outcome)
      }
    }
  }

  /// ``sendWrite(_:_:_:)`` for a thread that may block.
  @inline(never)
  func sendWriteBlocking(
    _ call: MessageOperation.Call, _ key: UnsafeRawBufferPointer, _ consistency: Consistency?
  ) throws(ClusterError) {
    try checkWritten(sendBlocking(call, Array(key), consistency), consistency)
  }

  @inline(never)
  func sendReadBlocking(
    _ key: UnsafeRawBufferPointer, _ consistency: Consistency?
  ) throws(ClusterError) -> [UInt8]? {
    try checkRead(sendBlocking(.get, Array(key), consistency), of: Array(key), consistency)
  }

  private func sendBlocking(
    _ call: MessageOperation.Call, _ key: [UInt8], _ consistency: Consistency?
  ) throws(ClusterError) -> MessageOperation.Outcome {
    let tag = try prepare(call, key)
    let monitor = Monitor()
    let result = Mutex<MessageOperation.Outcome?>(nil)
    let hash = key.withBytes { Ring.hash($0) }
    exchange.begin(call, hash: hash, key: key, tag: tag, consistency: consistency) { outcome in
      result.withLock { $0 = outcome }
      monitor.withLock { monitor.notifyAll() }
    }
    return monitor.withLock {
      while true {
        if let outcome = result.withLock({ $0 }) { return outcome }
        monitor.wait()
      }
    }
  }

  /// Checks the bounds; has a write wait for a disk that lags too far behind, and draws its tag.
  private func prepare(_ call: MessageOperation.Call, _ key: [UInt8]) throws(ClusterError) -> Tag {
    try Coordinator.checkKey(key.count)
    if case .put(let value) = call { try Coordinator.checkValue(value.count) }
    if call == .get { return .none }
    if coordinator.isOverdue.load(ordering: .relaxed) { try coordinator.waitWhileOverdue() }
    do {
      return try coordinator.tags.draw()
    } catch {
      throw .storage("no tag for the write: \(error)")
    }
  }

  func checkWritten(
    _ outcome: MessageOperation.Outcome, _ consistency: Consistency? = nil
  ) throws(ClusterError) {
    guard outcome == .done else {
      throw .undecidedWrite("too few owners answered in time\(consistency.words)\(faultAdvice)")
    }
  }

  func checkRead(
    _ outcome: MessageOperation.Outcome, of key: [UInt8], _ consistency: Consistency? = nil
  ) throws(ClusterError) -> [UInt8]? {
    guard case .found(let value) = outcome else {
      if let refusal = partitions.lastingRefusal(of: key.withBytes { Ring.hash($0) }, folder: folder.path) {
        throw refusal
      }
      throw .indeterminate(
        "too few owners answered in time\(consistency.words), so nothing can be said of the key\(faultAdvice)")
    }
    return value
  }

  /// What may have kept owners from answering, and what to do about it.
  private var faultAdvice: String {
    let paused = links.pausedNodes
    guard let first = paused.first else { return links.isFaulty ? "; links are faulty: `heal` mends them" : "" }
    let names = paused.map { roster.name(of: $0) }.joined(separator: ", ")
    return "; \(names) \(paused.count == 1 ? "is" : "are") paused: `resume \(roster.name(of: first))`"
      + (links.faults.isEmpty ? "" : "; links are faulty: `heal` mends them and resumes")
  }

  /// An operation of a simulation's client: by message or by direct call, as the program would do it.
  /// - Parameter completion: hears once how it ended, perhaps before this returns.
  /// - Throws: nothing was done.
  package func submit(
    _ call: MessageOperation.Call, _ key: [UInt8], consistency: Consistency? = nil,
    completion: @escaping @Sendable (MessageOperation.Outcome) -> Void
  ) throws(ClusterError) {
    try checkServing()
    if links.isFaulty {
      let tag = try prepare(call, key)
      return exchange.begin(
        call, hash: key.withBytes { Ring.hash($0) }, key: key, tag: tag, consistency: consistency,
        completion: completion)
    }
    let (outcome, pending) = try submitDirectly(call, key, consistency)
    guard let pending else { return completion(outcome) }
    pending.onDecision { step in completion(step == .done ? outcome : .undecided) }
  }

  private func submitDirectly(
    _ call: MessageOperation.Call, _ key: [UInt8], _ consistency: Consistency?
  ) throws(ClusterError) -> (MessageOperation.Outcome, DurabilityWait?) {
    try key.withBytes { key throws(ClusterError) in
      switch call {
      case .get:
        let (value, pending) = try coordinator.read(key, consistency) { $0.map { Array($0) } }
        return (.found(value), pending)
      case .put(let value):
        let pending = try value.withBytes { value throws(ClusterError) in
          try coordinator.write(.value, key, value, consistency)
        }
        return (.done, pending)
      case .delete:
        let empty = UnsafeRawBufferPointer(start: key.baseAddress, count: 0)
        return (.done, try coordinator.write(.tombstone, key, empty, consistency))
      }
    }
  }
}
