import KVCluster
import KVSimulator

/// One watched key: its operations brought into order, handed to its ``RegisterWatch``, and the last of them remembered
/// for whoever asks why.
///
/// Operations are found in any order, and some while they run. The *frontier* is a count up to which all events are known
/// (``OperationTap``), and events are judged up to it. A get that is under way holds them back, for what it will find is
/// not known yet; that ends with it, or after ``waitingMax`` operations, when it is left out: a get changes nothing.
final class KeyWatch {
  /// What judging found.
  struct Finding {
    /// The answer that nothing explains.
    var operation: ObservedOperation
    /// It, and what was remembered, by invocation.
    var recent: [ObservedOperation]
  }

  /// Enough to show what an answer contradicts: nearly always the last write or two.
  static let recentMax = 16
  static let waitingMax = 256

  let hash: UInt64
  /// When an operation was last found, for whoever makes room.
  var notedNs: UInt64 = 0
  private var register = RegisterWatch()
  /// Operations of which an event has not been judged, in no order.
  private var waiting: [ObservedOperation] = []
  /// Those of them whose invocation has been judged.
  private var invoked: Set<UInt64> = []
  /// Those of them that were open when they were found.
  private var open: Set<UInt64> = []
  private var leftOut: Set<UInt64> = []
  /// Somebody wrote what nobody knows: the key is not judged any more.
  private var isLost = false
  private var recent: [ObservedOperation] = []
  /// Everything at this count or before has been judged.
  private var judgedTo: UInt64
  private let from: UInt64

  /// - Parameter from: operations that returned at this count or before are none of ours; those under way then may have
  ///   taken effect already.
  init(hash: UInt64, from: UInt64) {
    self.hash = hash
    self.from = from
    judgedTo = from
  }

  var hasWaiting: Bool { !waiting.isEmpty }

  /// Takes an operation that was found, ended or open; an open one again as often as it is found.
  func note(_ operation: ObservedOperation) {
    if operation.isBlind, !isLost { lose() }
    if isLost { return }
    if operation.outcome != .open, leftOut.remove(operation.id) != nil { return }
    if leftOut.contains(operation.id) { return }
    if open.contains(operation.id) {
      if operation.outcome == .open { return }
      open.remove(operation.id)
      waiting[waiting.firstIndex { $0.id == operation.id }!] = operation
    } else if operation.outcome == .open || operation.returnedAt > judgedTo {
      if operation.outcome == .open { open.insert(operation.id) }
      waiting.append(operation)
    }
  }

  /// What the key holds will not be known again while it is watched.
  private func lose() {
    isLost = true
    waiting = []
  }

  /// Judges what is certain now. Returns how many operations were, and what was wrong.
  func advance(to frontier: UInt64) -> (checked: Int, findings: [Finding]) {
    if waiting.count > KeyWatch.waitingMax {
      for operation in waiting where operation.kind == .get && operation.outcome == .open {
        leftOut.insert(operation.id)
      }
      waiting.removeAll { leftOut.contains($0.id) }
      open.subtract(leftOut)
    }
    // What gets nothing, or never will, was never there.
    waiting.removeAll { $0.kind == .get && ($0.outcome == .failed || $0.outcome == .unknown) }
    if let found = advanceAlone(to: frontier) { return found }
    var checked = 0
    var findings: [Finding] = []
    var ended: Set<UInt64> = []
    for event in events(to: frontier) {
      let operation = waiting[event.index]
      if event.isReturn {
        ended.insert(operation.id)
        invoked.remove(operation.id)
        let answer = end(operation)
        if answer != .unjudged { checked += 1 }
        if answer == .violation { findings.append(finding(operation)) }
        remember(operation)
      } else {
        invoked.insert(operation.id)
        register.invoke(operation.asStep, isOlder: operation.invokedAt < from)
      }
    }
    waiting.removeAll { ended.contains($0.id) }
    judgedTo = max(judgedTo, limit(frontier))
    return (checked, findings)
  }

  private func end(_ operation: ObservedOperation) -> RegisterWatch.Answer {
    switch operation.outcome {
    case .done: return register.returned(operation.id)
    case .failed: return register.failed(operation.id)
    case .unknown:
      register.gaveUp(operation.id)
      return .unjudged
    case .open: preconditionFailure("an open operation has not returned")
    }
  }

  /// One operation that has ended, and no other under way.
  private func advanceAlone(to frontier: UInt64) -> (checked: Int, findings: [Finding])? {
    guard waiting.count == 1, register.isIdle, invoked.isEmpty, waiting[0].outcome == .done,
      waiting[0].returnedAt <= frontier, waiting[0].invokedAt >= judgedTo
    else { return nil }
    let operation = waiting.removeLast()
    judgedTo = frontier
    let answer = register.alone(operation.asStep)
    defer { remember(operation) }
    return (1, answer == .violation ? [finding(operation)] : [])
  }

  // MARK: - Order

  private struct Event {
    var index: Int
    var isReturn: Bool
    /// Twice the count, and one more for an invocation: returns at a count precede invocations that read it.
    var position: UInt64
  }

  /// The last count at which all events can be judged.
  private func limit(_ frontier: UInt64) -> UInt64 {
    waiting.reduce(frontier) { limit, operation in
      operation.kind == .get && operation.outcome == .open ? min(limit, max(judgedTo, operation.invokedAt)) : limit
    }
  }

  /// The events that can be judged, in order. What comes late, see ``OperationTap``, counts as late.
  private func events(to frontier: UInt64) -> [Event] {
    let limit = 2 * limit(frontier)
    var events: [Event] = []
    for (index, operation) in waiting.enumerated() {
      if !invoked.contains(operation.id), operation.kind != .get || operation.outcome != .open {
        let position = 2 * max(operation.invokedAt, judgedTo) + 1
        // What begins at the limit itself waits, but not what was under way when all this began.
        if position <= limit {
          events.append(Event(index: index, isReturn: false, position: position))
        } else {
          continue
        }
      }
      if operation.outcome != .open, case let position = 2 * max(operation.returnedAt, judgedTo), position <= limit {
        events.append(Event(index: index, isReturn: true, position: position))
      }
    }
    events.sort { ($0.position, $0.index) < ($1.position, $1.index) }
    return events
  }

  // MARK: - Memory

  private func remember(_ operation: ObservedOperation) {
    guard operation.outcome == .done || operation.outcome == .unknown else { return }
    if recent.count == KeyWatch.recentMax { recent.removeFirst() }
    recent.append(operation)
  }

  private func finding(_ operation: ObservedOperation) -> Finding {
    let underWay = waiting.filter { $0.id != operation.id && $0.invokedAt < operation.returnedAt }
    let known = (recent + underWay.filter { one in !recent.contains { $0.id == one.id } })
    return Finding(operation: operation, recent: (known + [operation]).sorted { $0.invokedAt < $1.invokedAt })
  }
}

extension ObservedOperation {
  /// It may write, and what is known to nobody.
  fileprivate var isBlind: Bool { kind == .update && base == nil }

  fileprivate var asStep: RegisterWatch.Operation {
    // A deletion's value is that of no value.
    RegisterWatch.Operation(id: id, isGet: kind == .get, value: value.hash, base: base?.hash)
  }
}
