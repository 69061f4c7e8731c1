/// Read-modify-writes, of one key or of several, over links that may fail.
extension MessageCarrier {
  /// A read-modify-write: it asks owners as a get does, and all that have answered carry it out at one moment. A node that is
  /// slow delays it, one whose messages are lost takes no part, and if there are too few they are asked again until time is up.
  /// Nothing of it is on the way when it has ended.
  struct Exchange {
    let hashes: [UInt64]
    let deadlineNs: UInt64
    let caller: PendingOperation
    /// Carries it out with these owners of each key.
    let attempt: Attempt
    /// A try has found too few: the next one waits for all that answer.
    var isPatient = false
  }

  typealias Attempt = @Sendable (_ owners: [[UInt16]]) -> Attempted

  /// How a try to carry out a read-modify-write ended.
  enum Attempted {
    case ended(ClientOperation.Outcome)
    /// It waits for disks.
    case waits(PendingOperation)
    /// Too few of the owners answer.
    case tooFew
  }

  /// Begins a read-modify-write; it ends as the attempt does, or ``ClientOperation/Outcome/unmet``.
  func exchange(_ hashes: [UInt64], _ attempt: @escaping Attempt) -> PendingOperation {
    let pending = PendingOperation()
    let isRefused = lock.withLock { () -> Bool in
      if isEnded { return true }
      let now = Clock.nowNs()
      exchanges.append(Exchange(hashes: hashes, deadlineNs: now + timeoutNs, caller: pending, attempt: attempt))
      ask(exchanges.next - 1, now)
      return false
    }
    if isRefused {
      pending.decide(.unmet)
      return pending
    }
    run()
    bell.ring()
    return pending
  }

  /// Call with `lock` held, as the rest.
  func ask(_ number: Int, _ now: UInt64) {
    guard let exchange = exchanges[number] else { return }
    let coordinator = drawCoordinator()
    var (owners, afterNs): ([[UInt16]], UInt64) = ([], 0)
    for hash in exchange.hashes {
      let answers = answers(hash, coordinator, isPatient: exchange.isPatient)
      owners.append(answers.map(\.owner))
      afterNs = max(afterNs, answers.last?.afterNs ?? MessageCarrier.retryNs)
    }
    queue.add(.exchange(number, with: owners), at: now + afterNs)
  }

  /// The owners of a key that answer, and after how long, but for those that are not waited for.
  private func answers(
    _ hash: UInt64, _ coordinator: UInt16?, isPatient: Bool
  ) -> [(afterNs: UInt64, owner: UInt16)] {
    let (view, _) = look(at: hash)
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    var answers: [(afterNs: UInt64, owner: UInt16)] = []
    if let coordinator {
      for i in 0..<participants.count {
        let owner = participants.ids[i]
        counters.sent += 1
        guard !links.isPaused(owner), case .arrives(let there, _) = links.fate(from: coordinator, to: owner),
          case .arrives(let back, _) = links.fate(from: owner, to: coordinator)
        else {
          counters.lost += 1
          continue
        }
        counters.sent += 1
        answers.append((there + back, owner))
      }
    }
    answers.sort { ($0.afterNs, $0.owner) < ($1.afterNs, $1.owner) }
    // It does not wait for one that is much later than those that are enough; during a change enough of both rings.
    let waitsForAll = isPatient || view.nextQuorum != nil
    let needed = waitsForAll ? answers.count : min(answers.count, max(view.quorum.read, view.quorum.write))
    let latestNs = needed == 0 ? 0 : 2 * answers[needed - 1].afterNs
    answers.removeAll { $0.afterNs > latestNs }
    return answers
  }

  func exchange(_ number: Int, with owners: [[UInt16]], _ now: UInt64) {
    guard let exchange = exchanges[number] else { return }
    switch exchange.attempt(owners.map { $0.filter { !links.isPaused($0) } }) {
    case .ended(let outcome):
      exchanges.remove(number)
      decided.append((exchange.caller, outcome))
    case .waits(let disks):
      exchanges.remove(number)
      let caller = exchange.caller
      disks.onDecision { [weak self] outcome in
        guard let self else { return }
        self.exchanged.withLock { $0.append((caller, outcome)) }
        if self.hasEnded.load(ordering: .sequentiallyConsistent) { self.tellExchanged() } else { self.bell.ring() }
      }
    case .tooFew where now >= exchange.deadlineNs:
      exchanges.remove(number)
      decided.append((exchange.caller, .unmet))
    case .tooFew:
      exchanges[number]?.isPatient = true
      queue.add(.asking(number), at: min(now + MessageCarrier.retryNs, max(now + 1, exchange.deadlineNs)))
    }
  }
}
