import KVSimulator

/// Seeded histories of one key: tiny ones with arbitrary answers, and long ones as a real register would give.
struct RandomHistory {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// The kinds of calls in a tiny history, each as often as it is listed.
  private static let mixes: [[Kind]] = [
    [.get, .put, .put],
    [.get, .put, .put, .delete],
    [.get, .put, .put, .delete, .compareAndSet],
    [.get, .put, .compareAndSet, .compareAndSet],
    [.get, .put, .put, .delete, .compareAndSet, .append],
    [.get, .put, .append, .append],
  ]

  private enum Kind { case get, put, delete, compareAndSet, append }

  /// Up to six operations with answers that are often wrong, over few values, so that a quarter are violations.
  mutating func tiny() -> History {
    let count = 1 + generator.below(6)
    let alphabet = 1 + generator.below(3)
    let mix = Self.mixes[generator.below(Self.mixes.count)]
    let span = 2 + generator.below(3 * count)
    let operations = (0..<count).map { index in
      tinyOperation(process: index, mix: mix, alphabet: alphabet, span: span)
    }
    let initial = (0...generator.below(2)).map { _ in contents(alphabet) }
    return History(operations, initialContents: initial)
  }

  private mutating func tinyOperation(process: Int, mix: [Kind], alphabet: Int, span: Int) -> History.Operation {
    let value = [UInt8(generator.below(alphabet))]
    let call: History.Call
    var outcome = History.Outcome.done
    switch mix[generator.below(mix.count)] {
    case .get:
      call = .get
      outcome = .found(contents(alphabet, appends: mix.contains(.append)))
    case .put: call = .put(value)
    case .delete: call = .delete
    case .compareAndSet:
      call = .compareAndSet(expected: contents(alphabet), new: value)
      outcome = .swapped(generator.chance(60))
    case .append: call = .append(generator.chance(10) ? [] : value)
    }
    let isOpen = generator.chance(30)
    let invokedAt = generator.below(span)
    return History.Operation(
      process: process, key: [0], call: call, invokedAt: invokedAt,
      returnedAt: isOpen ? nil : invokedAt + generator.below(span), outcome: isOpen ? .unknown : outcome)
  }

  private mutating func contents(_ alphabet: Int, appends: Bool = false) -> History.Contents {
    if generator.chance(20) { return nil }
    return (0..<(appends ? generator.below(4) : 1)).map { _ in UInt8(generator.below(alphabet)) }
  }

  /// What a correct register would answer to `clients` that work without a pause; each effect falls somewhere within
  /// its call. Values repeat after `distinct` puts; one write in `openEvery` never returns, and half of those happen.
  mutating func long(count: Int, clients: Int, distinct: Int, openEvery: Int, deletes: Bool) -> History {
    var operations: [History.Operation] = []
    var register: History.Contents = nil
    var inFlight: [(operation: History.Operation, applied: Bool, answer: History.Contents)] = []
    var time = 0
    for number in 0..<count {
      time += 1
      while inFlight.count >= clients || (!inFlight.isEmpty && generator.chance(40)) {
        let index = generator.below(inFlight.count)
        var (operation, applied, answer) = inFlight.remove(at: index)
        let isOpen = operation.call != .get && generator.below(openEvery) == 0
        if !applied && !(isOpen && generator.chance(50)) { answer = apply(operation.call, &register) }
        applied = true
        if !isOpen {
          operation.returnedAt = time
          operation.outcome = operation.call == .get ? .found(answer) : .done
        }
        operations.append(operation)
        time += 1
      }
      let call: History.Call =
        switch generator.below(deletes ? 9 : 8) {
        case 0..<4: .get
        case 4..<8: .put(Array("\(number % distinct)".utf8))
        default: .delete
        }
      inFlight.append((History.Operation(process: number, key: [0], call: call, invokedAt: time), false, nil))
      let chosen = generator.below(inFlight.count)
      if !inFlight[chosen].applied {
        inFlight[chosen].answer = apply(inFlight[chosen].operation.call, &register)
        inFlight[chosen].applied = true
      }
    }
    return History(operations + inFlight.map(\.operation))
  }

  private func apply(_ call: History.Call, _ register: inout History.Contents) -> History.Contents {
    switch call {
    case .put(let value): register = value
    case .delete: register = nil
    case .get, .compareAndSet, .append: break
    }
    return register
  }
}
