import Synchronization

/// The links between nodes, and what is wrong with them. This is the seam to other nodes: while every link is good,
/// messages are direct calls on the caller's thread and nobody looks in here but to see that ``isFaulty`` is false.
///
/// A fault belongs to an ordered pair of nodes or to one node, and stays until it is taken away. A *paused* node holds
/// what reaches it until it goes on, as a stopped process does.
package final class Links: Sendable {
  /// What may happen to a message on its way.
  package struct Quality: Equatable, Sendable {
    package var isCut = false
    package var lossPerMille = 0
    package var duplicationPerMille = 0
    /// Every message takes so long, and up to `jitterNs` longer; one in 32 up to twenty times as long.
    package var delayNs: UInt64 = 0
    package var jitterNs: UInt64 = 0

    package static let good = Quality()
  }

  /// What becomes of one message.
  enum Fate: Equatable {
    case lost
    /// It arrives after so long; twice, if there is a second time.
    case arrives(afterNs: UInt64, againAfterNs: UInt64?)
  }

  private struct State {
    /// By sender and receiver; pairs that are not here are good.
    var qualities: [(from: UInt16, to: UInt16, quality: Quality)] = []
    /// Of every link, beside its own.
    var everywhere = Quality.good
    var paused: [UInt16] = []
    var random: SeededRandom

    func quality(_ from: UInt16, _ to: UInt16) -> Quality {
      qualities.first { $0.from == from && $0.to == to }?.quality ?? .good
    }
  }

  private let state: Mutex<State>
  private let faulty = Atomic<Bool>(false)
  private let cutting = Atomic<Bool>(false)
  private let changes = Atomic<Int>(0)

  init(seed: UInt64) {
    state = Mutex(State(random: SeededRandom(seed: seed)))
  }

  /// Whether anything is wrong anywhere.
  @inline(__always)
  var isFaulty: Bool { faulty.load(ordering: .relaxed) }

  /// Whether any two nodes cannot talk at all.
  @inline(__always)
  var isAnyCut: Bool { cutting.load(ordering: .relaxed) }

  /// Changes with every change of any link or node.
  var generation: Int { changes.load(ordering: .acquiring) }

  private func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      body(&state)
      state.qualities.removeAll { $0.quality == .good }
      let isFaulty = !state.qualities.isEmpty || !state.paused.isEmpty || state.everywhere != .good
      faulty.store(isFaulty, ordering: .releasing)
      cutting.store(!state.paused.isEmpty || state.qualities.contains { $0.quality.isCut }, ordering: .releasing)
      changes.wrappingAdd(1, ordering: .releasing)
    }
  }

  // MARK: - Faults

  package func set(_ from: UInt16, _ to: UInt16, _ adjust: (inout Quality) -> Void) {
    change { state in
      if let i = state.qualities.firstIndex(where: { $0.from == from && $0.to == to }) {
        adjust(&state.qualities[i].quality)
      } else {
        var quality = Quality.good
        adjust(&quality)
        state.qualities.append((from, to, quality))
      }
    }
  }

  /// Sets what is wrong with every link, beside what is wrong with each.
  package func setEverywhere(_ quality: Quality) { change { $0.everywhere = quality } }

  package func pause(_ node: UInt16) { change { if !$0.paused.contains(node) { $0.paused.append(node) } } }
  package func resume(_ node: UInt16) { change { $0.paused.removeAll { $0 == node } } }

  /// Takes a node's faults away with it: its id may be given to another.
  func forget(_ node: UInt16) {
    change { state in
      state.paused.removeAll { $0 == node }
      state.qualities.removeAll { $0.from == node || $0.to == node }
    }
  }

  /// Everything is good again.
  package func heal() {
    change { state in
      state.qualities = []
      state.paused = []
      state.everywhere = .good
    }
  }

  // MARK: - Questions

  func isPaused(_ node: UInt16) -> Bool { isFaulty && state.withLock { $0.paused.contains(node) } }

  /// Whether two nodes can talk at all: a link that loses some and delays others does.
  func reaches(_ a: UInt16, _ b: UInt16) -> Bool {
    guard isAnyCut else { return true }
    return state.withLock { state in
      !state.paused.contains(a) && !state.paused.contains(b)
        && (a == b || !state.quality(a, b).isCut && !state.quality(b, a).isCut)
    }
  }

  /// Draws what becomes of a message. A node's messages to itself are always good.
  func fate(from: UInt16, to: UInt16) -> Fate {
    guard isFaulty, from != to else { return .arrives(afterNs: 0, againAfterNs: nil) }
    return state.withLock { state in
      Links.fate(state.quality(from, to), state.everywhere, &state.random)
    }
  }

  /// ``fate(from:to:)`` of a message beside the operations', which does not change what is drawn for theirs.
  func fate(from: UInt16, to: UInt16, _ random: inout SeededRandom) -> Fate {
    let (own, all) = state.withLock { ($0.quality(from, to), $0.everywhere) }
    return Links.fate(own, all, &random)
  }

  private static func fate(_ own: Quality, _ all: Quality, _ random: inout SeededRandom) -> Fate {
    if own.isCut || random.chance(perMille: own.lossPerMille) || random.chance(perMille: all.lossPerMille) {
      return .lost
    }
    let first = delay(own, all, &random)
    let isDoubled = random.chance(perMille: own.duplicationPerMille + all.duplicationPerMille)
    return .arrives(afterNs: first, againAfterNs: isDoubled ? delay(own, all, &random) : nil)
  }

  private static func delay(_ own: Quality, _ all: Quality, _ random: inout SeededRandom) -> UInt64 {
    let jitter = own.jitterNs + all.jitterNs
    let fixed = own.delayNs + all.delayNs
    guard jitter > 0 else { return fixed }
    let drawn = UInt64(random.below(Int(jitter)))
    return fixed + (random.below(32) == 0 ? drawn * UInt64(random.within(1...20)) : drawn)
  }

  /// Nodes that do not go on at the moment.
  var pausedNodes: [UInt16] { isFaulty ? state.withLock { $0.paused } : [] }

  /// Whether a link to or from any of these nodes is not good.
  func areFaulty(_ nodes: [UInt16]) -> Bool {
    isFaulty
      && state.withLock { state in
        state.qualities.contains { nodes.contains($0.from) || nodes.contains($0.to) }
      }
  }

  /// Links that are not good, in the order of their nodes.
  var faults: [(from: UInt16, to: UInt16, quality: Quality)] {
    state.withLock { $0.qualities }.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
  }
}
