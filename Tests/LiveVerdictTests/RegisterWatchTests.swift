import KVSimulator
import Testing

@testable import KVCluster
@testable import LiveVerdict

/// The judging of one key as its operations come.
@Suite struct RegisterWatchTests {
  private typealias Operation = RegisterWatch.Operation

  private static func put(_ id: UInt64, _ value: UInt64) -> Operation { Operation(id: id, isGet: false, value: value) }
  private static func get(_ id: UInt64, _ value: UInt64) -> Operation { Operation(id: id, isGet: true, value: value) }

  private static func update(_ id: UInt64, _ base: UInt64, _ value: UInt64) -> Operation {
    Operation(id: id, isGet: false, value: value, base: base)
  }

  @Test("Two updates of the same value cannot both have been applied to it")
  func lostUpdate() {
    var register = RegisterWatch()
    #expect(register.alone(Self.put(1, 20)) == .explained)
    register.invoke(Self.update(2, 20, 30))
    register.invoke(Self.update(3, 20, 40))
    #expect(register.returned(2) == .explained)
    #expect(register.returned(3) == .violation)
  }

  @Test("An update that was given up is applied to what it found, or never")
  func updateGivenUp() {
    var register = RegisterWatch()
    #expect(register.alone(Self.put(1, 20)) == .explained)
    register.invoke(Self.update(2, 20, 30))
    register.gaveUp(2)
    register.invoke(Self.update(3, 20, 40))
    #expect(register.returned(3) == .explained)
    register.invoke(Self.get(4, 30))
    #expect(register.returned(4) == .violation, "what it was to be applied to is gone")
  }

  @Test("Unknown contents explain every answer until a write has ended")
  func unknownContents() {
    var register = RegisterWatch()
    #expect(register.alone(Self.get(1, 20)) == .explained)
    #expect(register.alone(Self.get(2, 30)) == .explained)
    #expect(register.alone(Self.put(3, 40)) == .explained)
    #expect(register.alone(Self.get(4, 40)) == .explained)
    #expect(register.alone(Self.get(5, 30)) == .violation)
    #expect(register.alone(Self.get(6, 30)) == .explained, "what it holds is unknown again")
  }

  @Test("A write that began before watching may have been replaced before it returns")
  func olderWrites() {
    var register = RegisterWatch()
    register.invoke(Self.put(1, 20), isOlder: true)
    #expect(register.returned(1) == .explained)
    #expect(register.alone(Self.get(2, 30)) == .explained)
  }

  @Test("A write that was given up may take effect at any later time, but once")
  func givenUp() {
    var register = RegisterWatch()
    #expect(register.alone(Self.put(1, 20)) == .explained)
    register.invoke(Self.put(2, 30))
    register.gaveUp(2)
    for value: UInt64 in [20, 20, 30, 30] {
      register.invoke(Self.get(3, value))
      #expect(register.returned(3) == .explained)
    }
    register.invoke(Self.get(4, 20))
    #expect(register.returned(4) == .violation)
  }

  @Test("Nobody may see a write that certainly failed")
  func failed() {
    var register = RegisterWatch()
    #expect(register.alone(Self.put(1, 20)) == .explained)
    register.invoke(Self.put(2, 30))
    register.invoke(Self.get(3, 30))
    #expect(register.returned(3) == .explained)
    #expect(register.failed(2) == .violation)
  }

  @Test("More at once than it can follow is not judged, and judging begins again afterwards")
  func tooMuchAtOnce() {
    var register = RegisterWatch()
    for id in 0..<40 { register.invoke(Self.put(UInt64(id), UInt64(100 + id))) }
    #expect(register.isWaiting)
    for id in 0..<40 { #expect(register.returned(UInt64(id)) != .violation) }
    #expect(register.alone(Self.get(50, 100)) == .explained)
    #expect(register.alone(Self.put(51, 20)) == .explained)
    #expect(register.alone(Self.get(52, 100)) == .violation)
  }

  /// Random histories of a few clients with answers that are often wrong.
  @Test("It finds a violation exactly where the checker of whole histories does")
  func agreesWithTheCheckerOfHistories() {
    var violations = 0
    for seed in UInt64(1)...4_000 {
      var random = SeededRandom(seed: seed)
      let history = Self.history(&random)
      let found = Self.firstViolation(history)
      let whole = LinearizabilityChecker.check(History(history, initialContents: [[10]]), shrinks: false)
      var expected: Int?
      if case .violation(let violation) = whole { expected = violation.operations.compactMap(\.returnedAt).max() }
      violations += expected == nil ? 0 : 1
      guard found == expected else {
        Issue.record("seed \(seed): found \(found ?? -1), expected \(expected ?? -1) in \(history)")
        return
      }
    }
    #expect((1_000...3_500).contains(violations), "the histories should be mixed: \(violations)")
  }

  private static func history(_ random: inout SeededRandom) -> [History.Operation] {
    var operations: [History.Operation] = []
    var running: [History.Operation] = []
    var time = 0
    let clients = 2 + random.below(4)
    let values = 2 + random.below(3)
    let contents: (Int) -> History.Contents = { $0 == 0 ? nil : [UInt8(10 + $0)] }
    while operations.count < 6 {
      time += 1
      if running.count < clients, random.below(2) == 0 || running.isEmpty {
        let call: History.Call =
          switch random.below(10) {
          case 0...3: .get
          case 4: .delete
          case 5, 6:
            .compareAndSet(expected: contents(random.below(values + 1)), new: contents(random.below(values + 1)))
          default: .put([UInt8(11 + random.below(values))])
          }
        running.append(History.Operation(process: time, key: [0], call: call, invokedAt: time))
      } else {
        var operation = running.remove(at: random.below(running.count))
        if random.below(8) > 0 {
          operation.returnedAt = time
          let isFirst = operations.allSatisfy { $0.call == .get } && random.below(2) == 0
          operation.outcome =
            switch operation.call {
            case .get: .found(isFirst ? [10] : contents(random.below(values + 1)))
            case .compareAndSet: .swapped(true)
            default: .done
            }
        }
        operations.append(operation)
      }
    }
    return operations + running
  }

  /// Feeds the events in order; the time of the first return that nothing explains.
  private static func firstViolation(_ history: [History.Operation]) -> Int? {
    let hash: (History.Contents) -> UInt64 = { $0.map { UInt64($0[0]) } ?? RegisterWatch.State.absent }
    var register = RegisterWatch()
    _ = register.alone(put(0, 10))
    var events: [(time: Int, index: Int, isReturn: Bool)] = []
    for (index, operation) in history.enumerated() where operation.call != .get || operation.returnedAt != nil {
      events.append((operation.invokedAt, index, false))
      if let returnedAt = operation.returnedAt { events.append((returnedAt, index, true)) }
    }
    for event in events.sorted(by: { $0.time < $1.time }) {
      let operation = history[event.index]
      let id = UInt64(event.index + 1)
      if event.isReturn {
        if register.returned(id) == .violation { return event.time }
        continue
      }
      switch operation.call {
      case .put(let value): register.invoke(put(id, hash(value)))
      case .delete: register.invoke(put(id, RegisterWatch.State.absent))
      case .compareAndSet(let expected, let new): register.invoke(update(id, hash(expected), hash(new)))
      default:
        guard case .found(let contents) = operation.outcome else { continue }
        register.invoke(get(id, hash(contents)))
      }
      // Whoever never returns has given up, at any time.
      if operation.returnedAt == nil { register.gaveUp(id) }
    }
    return nil
  }
}
