import KVCluster

/// What clients do, and are told.
extension Simulation {
  func begin(_ client: Int) {
    guard left > 0 else { return }
    left -= 1
    let number = operations.count
    let isBrief = plan.briefKeys > 0 && random.below(12) == 0
    let isBuried = !isBrief && random.below(40) == 0
    let key =
      isBuried
      ? SimulationPlan.buriedKey
      : keys[isBrief ? plan.keys + random.below(plan.briefKeys) : random.below(plan.keys)]
    var call: ClientOperation.Call
    switch random.below(10) {
    case _ where isBuried: call = .get
    case 0..<4: call = .put(Array("v\(number)".utf8))
    case 4: call = .delete
    case 5..<8 where isBrief: call = .delete
    default: call = .get
    }
    if updatesKeys, !isBuried { call = update(insteadOf: call, number, key) }
    if endsValues { letEnd(&call, key) }
    let consistency = drawConsistency(call)
    if let drawn = drawGroupCall(number) {
      operations.append(
        SimulatedCall(
          client: client, key: drawn.group.name, scope: drawn.scope, call: drawn.call, invokedAt: time()))
      return drawn.call != .get && cluster.holdsWritersBack ? holdBack(client) : submit(number)
    }
    operations.append(
      SimulatedCall(client: client, key: key, call: call, consistency: consistency, invokedAt: time()))
    if call != .get, cluster.holdsWritersBack { return holdBack(client) }
    if call.isBlind, client < plan.clients, random.below(isBrief ? 6 : 60) == 0, let tag = try? cluster.drawTag() {
      counts.writersHeldUp += 1
      return queue.add(.goOn(operation: number, tag: tag, life: lives), at: after(random.below(1_500_000)))
    }
    submit(number)
  }

  /// The program may have died meanwhile, and its threads with it.
  func goOn(_ number: Int, _ tag: Tag, life: Int) {
    if life == lives { submit(number, drawn: tag) } else { end(number, .undecided) }
  }

  private func submit(_ number: Int, drawn: Tag? = nil) {
    let operation = operations[number]
    do throws(ClusterError) {
      if case .group(let members) = operation.scope { return try submit(number, operation.call, members) }
      if case .update(let update) = operation.call {
        return try cluster.submit(update, operation.key) { [finished] found in
          finished.bases.withLock { $0[number] = .some(found) }
        } completion: { [finished] outcome in
          finished.list.withLock { $0.append((number, outcome)) }
        }
      }
      let key = if case .member(let member) = operation.scope { member } else { operation.key }
      try cluster.submit(operation.call, key, consistency: operation.consistency, drawn: drawn) {
        [finished] outcome in finished.list.withLock { $0.append((number, outcome)) }
      }
    } catch {
      if case .indeterminate = error { return end(number, .undecided) }
      refuse(number)
    }
  }

  /// A batch, or a get of all members of a group.
  private func submit(
    _ number: Int, _ call: ClientOperation.Call, _ members: [[UInt8]]
  ) throws(ClusterError) {
    let update: Update? = if case .update(let update) = call { update } else { nil }
    try cluster.submit(update, all: members) { [finished] found in
      if update != nil { finished.bases.withLock { $0[number] = .some(SimulatedGroup.contents(found)) } }
    } completion: { [finished] outcome, found in
      let outcome = outcome == .done ? .found(SimulatedGroup.contents(found)) : outcome
      finished.list.withLock { $0.append((number, outcome)) }
    }
  }

  /// An operation of one who is no client of the day's.
  func perform(_ call: ClientOperation.Call, _ key: [UInt8]) {
    let number = operations.count
    let group = group(of: key)
    var operation = SimulatedCall(
      client: plan.clients + 1, key: group?.name ?? key, scope: group == nil ? .key : .member(key), call: call,
      invokedAt: time())
    // One that writes a member alone.
    operation.isVoid = group != nil && call != .get
    if operation.isVoid { eras.tearGroups(groups) }
    operations.append(operation)
    try? cluster.submit(call, key) { [finished] outcome in finished.list.withLock { $0.append((number, outcome)) } }
  }

  /// Every other day most writes are read-modify-writes, and some gets are such as change nothing.
  private func update(insteadOf call: ClientOperation.Call, _ number: Int, _ key: [UInt8]) -> ClientOperation.Call {
    let value = Array("v\(number)".utf8)
    switch call {
    case .get:
      guard updateRandom.below(4) == 0 else { return call }
      return .update(updateRandom.below(2) == 0 ? .swap(expected: Array("nobody's".utf8), to: value) : .insert(value))
    case .put:
      switch updateRandom.below(8) {
      case 0, 1: return call
      case 2: return .update(.insert(value))
      case 3: return .update(.overwrite(value))
      case 4:
        let last = operations.last { $0.key == key && $0.outcome != nil && $0.written != nil }
        return .update(.swap(expected: last?.written ?? nil, to: value))
      default: return .update(.replace(value))
      }
    case .delete: return updateRandom.below(4) == 0 ? call : .update(.delete)
    case .update: return call
    }
  }

  /// Some values that are written end by themselves, most of them soon.
  private func letEnd(_ call: inout ClientOperation.Call, _ key: [UInt8]) {
    let isSoon = updateRandom.below(4) > 0
    let end = cluster.clock.now + UInt64(updateRandom.within(isSoon ? 1...100 : 100...2_000))
    guard updateRandom.below(3) == 0 else { return }
    switch call {
    case .put(let value, nil):
      call = .put(value, .at(unixMilliseconds: Int64(end)))
      endings.add(value, of: key, end: end)
    case .update(.replace(let value, .none)):
      call = .update(.replace(value, .set(.at(unixMilliseconds: Int64(end)))))
      endings.add(value, of: key, end: end)
    default: break
    }
  }

  /// The machine's clock is set forward or back.
  func turnClock(within ms: Int) {
    guard updateRandom.below(10) == 0 else { return }
    let change = updateRandom.within(0...2 * ms) - ms
    Clock.setUnix(zeroMs: Clock.unixZeroMs + Int64(change))
    trace("the clock is set \(change) ms")
  }

  /// Every third day some operations have a level of their own.
  private func drawConsistency(_ call: ClientOperation.Call) -> Consistency? {
    guard seed.isMultiple(of: 3) else { return nil }
    if case .update = call { return nil }
    let level: Consistency
    switch random.below(30) {
    case 0: level = .one
    case 1: level = .all
    case 2: level = .quorum
    default: return nil
    }
    // A quorum of its own must meet the others' of this cluster.
    let (n, others) = (plan.quorum.replicas, call == .get ? plan.quorum.write : plan.quorum.read)
    return level == .one || level.count(of: n) + others > n ? level : nil
  }

  /// Every invocation and return has a time of its own, so that the checker need not guess.
  func time() -> Int {
    moments += 1
    return moments
  }

  func takeAnswers() {
    let answers = finished.list.withLock { list in
      if list.isEmpty { return [(number: Int, outcome: ClientOperation.Outcome)]() }
      defer { list = [] }
      return list
    }
    if endsValues { keepEnds() }
    for (number, outcome) in answers { end(number, outcome) }
  }

  /// Some updates keep the end of what they have found.
  private func keepEnds() {
    for (number, base) in finished.bases.withLock({ $0 }) {
      guard case .update(let update) = operations[number].call, let base,
        case .put(let value, .kept) = update.change(of: base)
      else { continue }
      endings.keep(value, of: operations[number].key, from: base)
    }
  }

  private func end(_ number: Int, _ outcome: ClientOperation.Outcome) {
    if case .update = operations[number].call {
      operations[number].base = finished.bases.withLock { $0.removeValue(forKey: number) }
      if outcome == .unmet || outcome == .undecided && operations[number].base == nil { return refuse(number) }
    }
    operations[number].outcome = outcome
    if endsValues, case .found(let value?) = outcome, endings.isGone(value, at: operations[number].invokedAt) {
      operations[number].hasFoundEnded = true
    }
    operations[number].returnedAt = time()
    operations[number].returnedNs = Clock.nowNs()
    observer.onAnswer?(number)
    if outcome == .undecided { report.indeterminate += 1 }
    trace("client \(operations[number].client): \(operations[number].words)")
    next(operations[number].client)
  }

  /// Nothing was done: there is nothing to record.
  private func refuse(_ number: Int) {
    report.refused += 1
    operations[number].returnedNs = Clock.nowNs()
    // The day has as many operations as were planned, as long as that is not hopeless.
    if report.refused <= plan.operations { left += 1 }
    trace("client \(operations[number].client): \(operations[number].words)refused")
    next(operations[number].client)
  }

  /// A disk lags behind: the client comes again in a while.
  private func holdBack(_ client: Int) {
    counts.writersHeldBack += 1
    left += 1
    let call = operations.removeLast()
    trace("client \(client): \(call.words)must wait")
    if client < plan.clients { queue.add(.think(client: client), at: after(50_000)) }
  }

  private func next(_ client: Int) {
    if left > 0 {
      // One that came in the middle of a sync comes but once.
      guard client < plan.clients else { return }
      queue.add(.think(client: client), at: after(random.below(plan.thinkMaxUs)))
    } else if !isHealing {
      heal()
    }
  }
}

extension ClientOperation.Call {
  /// Whether it writes whatever there is, with a tag that can be drawn early.
  fileprivate var isBlind: Bool {
    switch self {
    case .put, .delete: true
    case .get, .update: false
    }
  }
}
