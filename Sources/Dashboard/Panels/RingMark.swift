import ClusterModel
import Text

/// A place on the ring that the picture points at: the cursor's, or that of the key last asked for.
struct RingMark {
  let slot: Int
  let isCursor: Bool
  /// The slot's owners by rank, and how many of them the key's walk has reached.
  let owners: [Int]
  let ownersReached: Int
  let isWalking: Bool

  /// The cursor's place while the ring has the keys, else the last key's.
  init?(_ state: DashboardState) {
    let ring = state.ring
    guard state.status != nil, ring.slotCount > 0 else { return nil }
    if state.focus == .panel(.ring), let cursor = state.ringCursor {
      slot = Swift.min(cursor, ring.slotCount - 1)
      isCursor = true
      isWalking = false
    } else if let walk = state.walk {
      slot = Swift.min(walk.key.slot, ring.slotCount - 1)
      isCursor = false
      isWalking = walk.isMoving(nowNs: state.seen.nowNs) && !state.appearance.isMotionReduced
    } else {
      return nil
    }
    owners = ring.owners(ofSlot: slot)
    ownersReached = isWalking ? state.walk?.ownersReached(of: owners.count, nowNs: state.seen.nowNs) ?? 0 : owners.count
  }

  func sign(_ glyphs: Glyphs) -> Unicode.Scalar { isCursor ? glyphs.cursorMark : glyphs.keyDot }
}

/// The line below the donut: what the mark points at, or what the picture means.
enum RingCaption {
  /// Words, and the node whose colour they have.
  struct Word { var text: String, node: Int? }

  /// The longest way to say it that fits; empty if none does.
  static func words(
    _ state: DashboardState, _ owners: RingOwners, _ mark: RingMark?, width: Int, _ look: Look
  ) -> [Word] {
    guard let status = state.status else { return [] }
    let choices: [[Word]]
    if state.showsHeat, state.focus != .panel(.ring) || mark == nil {
      choices = heat(state.seen.heat).map { [Word(text: $0, node: nil)] }
    } else if let mark {
      choices = mark.isCursor ? range(mark, status, state.ring, look) : walk(mark, state, status, look)
    } else {
      choices = meaning(status, owners, isTour: state.guide != nil || state.playback != nil, look).map {
        [Word(text: $0, node: nil)]
      }
    }
    return choices.first { columns($0) <= width } ?? []
  }

  static func columns(_ words: [Word]) -> Int { words.reduce(0) { $0 + $1.text.columns } }

  /// `user:1001 → 9f3a… → node3 (node1, node4)`.
  private static func walk(
    _ mark: RingMark, _ state: DashboardState, _ status: ClusterStatus, _ look: Look
  ) -> [[Word]] {
    guard let walked = state.walk?.key else { return [] }
    let hash = RingPlace.digits(slot: walked.slot, of: state.ring.slotCount) + look.glyphs.ellipsis
    let owners = owners(Array(mark.owners.prefix(mark.ownersReached)), status)
    let arrow = Word(text: " \(look.glyphs.arrow) ", node: nil)
    let key = [20, 12, 6].map { walked.key.fitted(to: $0, ellipsis: look.glyphs.ellipsis) }
    let tail = owners.isEmpty ? [] : [arrow] + owners
    return key.map { [Word(text: $0, node: nil), arrow, Word(text: hash, node: nil)] + tail }
      + [[Word(text: hash, node: nil)] + tail, owners]
  }

  /// `9f3a-a012 → node3 (node1, node4)  1.2 %`.
  private static func range(_ mark: RingMark, _ status: ClusterStatus, _ ring: RingMap, _ look: Look) -> [[Word]] {
    let run = ring.run(around: mark.slot)
    guard !run.isEmpty else { return [] }
    let first = RingPlace.digits(slot: run.lowerBound, of: ring.slotCount)
    let last = RingPlace.digits(before: run.upperBound, of: ring.slotCount)
    let part = Figures.precisePercent(Double(run.count) / Double(ring.slotCount))
    let arrow = Word(text: " \(look.glyphs.arrow) ", node: nil)
    let short = [Word(text: "\(first)-\(last)", node: nil), arrow] + owners(mark.owners, status)
    return [short + [Word(text: "  \(part)", node: nil)], short, owners(mark.owners, status)]
  }

  private static func owners(_ ids: [Int], _ status: ClusterStatus) -> [Word] {
    func name(_ id: Int) -> Word { Word(text: status.nodes.first { $0.id == id }?.name ?? "?", node: id) }
    guard let first = ids.first else { return [] }
    guard ids.count > 1 else { return [name(first)] }
    var words = [name(first), Word(text: " (", node: nil)]
    for (index, id) in ids.dropFirst().enumerated() {
      if index > 0 { words.append(Word(text: ", ", node: nil)) }
      words.append(name(id))
    }
    return words + [Word(text: ")", node: nil)]
  }

  private static func heat(_ heat: RangeHeat) -> [String] {
    guard !heat.rates.isEmpty else { return ["what is done where is not known"] }
    let mean = heat.rates.reduce(0, +) / Double(heat.rates.count)
    guard mean > 0 else { return ["operations by range: none now", "no operations now"] }
    let factor = Figures.factor(heat.most / mean, placesMax: 1)
    return [
      "operations by range; the hottest: \(Figures.short(heat.most))/s, \(factor) the mean",
      "hottest range \(Figures.short(heat.most))/s, \(factor) mean", "hottest \(factor) the mean",
    ]
  }

  /// Legend of the picture, in the words that matter most now.
  private static func meaning(
    _ status: ClusterStatus, _ owners: RingOwners, isTour: Bool, _ look: Look
  ) -> [String] {
    let legend = owners.present.compactMap { condition -> String? in
      guard let texture = condition.texture(look.glyphs), let words = condition.words else { return nil }
      return "\(texture) \(words)"
    }
    if status.change != nil {
      let moving = ["moving ranges alternate: old owner, new owner", "moving ranges alternate"]
      return legend.isEmpty
        ? moving : moving.map { "\(legend.joined(separator: "  "))   \($0)" } + [legend.joined(separator: "  ")]
    }
    if !legend.isEmpty {
      let all = legend.joined(separator: "   ")
      return ["\(all)   inner bands: the other copies", all, legend.joined(separator: " "), legend.last ?? ""]
    }
    if status.keys == 0, status.phase == .serving {
      if isTour { return ["no keys yet"] }
      return ["no keys yet: try `put hello world`, or `benchmark`", "no keys yet: try `benchmark`", "no keys yet"]
    }
    if owners.ring.ranks > 1 {
      return ["outer band: first copy; inner: the others", "outer band: first copy"]
    }
    return ["each colour is a node's part"]
  }
}
