import ClusterModel
import Text

/// Summary of the faults between nodes, in as few words as tell all of them.
///
/// A status names every link that is not good: for one slow node among ten that is eighteen links. People put it in by
/// the node or by the side, so that is how it is said here, as far as the links agree with it.
package struct FaultSummary: Equatable, Sendable {
  /// Words, and the node whose name they are.
  package struct Word: Equatable, Sendable { package var text: String, node: Int? }

  /// Trouble of a node that serves.
  package enum Trouble: Equatable, Sendable {
    case paused
    /// It is not on the largest side of a partition.
    case cutOff
    case slow(ns: UInt64)
    case losing(perMille: Int)
    /// Others have not heard from it for a while, whatever the reason.
    case unheard(by: [String])
  }

  /// One fault each, the worst first.
  package private(set) var items: [[Word]] = []
  package private(set) var troubles: [Int: Trouble] = [:]

  package var isEmpty: Bool { items.isEmpty }

  /// No link is faulty, and nodes are paused.
  private(set) var isOfPauses = false

  /// The items as text.
  package var texts: [String] { items.map { $0.map(\.text).joined() } }

  private let names: [Int: String]

  /// - Complexity: O(nodes³) at most; make it when faults have changed, not with every status.
  package init(_ status: ClusterStatus) {
    names = Dictionary(status.nodes.map { ($0.id, $0.name) }) { first, _ in first }
    let ids = status.nodes.map(\.id)
    isOfPauses = status.linkFaults.isEmpty && !status.pausedNodes.isEmpty
    addPaused(status.pausedNodes)
    addCuts(status.linkFaults, ids)
    addByNode(status.linkFaults.filter { $0.delayNs > 0 }.map { ($0, Int($0.delayNs)) }, ids) {
      (" +\(Figures.given(ns: UInt64($0)))", .slow(ns: UInt64($0)))
    }
    addByNode(status.linkFaults.filter { $0.lossPerMille > 0 }.map { ($0, $0.lossPerMille) }, ids) {
      (" loses \(Figures.given(perMille: $0))", .losing(perMille: $0))
    }
    // Of several faults of a node, a pause is the one that is reported.
    for id in status.pausedNodes { troubles[id] = .paused }
  }

  private func word(_ id: Int) -> Word { Word(text: names[id] ?? "?", node: id) }
  private func say(_ text: String) -> Word { Word(text: text, node: nil) }

  private mutating func addPaused(_ ids: [Int]) {
    guard !ids.isEmpty else { return }
    items.append(spaced(ids) + [say(" paused")])
  }

  private func spaced(_ ids: [Int]) -> [Word] {
    Array(ids.map { [word($0)] }.joined(separator: [say(" ")]))
  }

  // MARK: Cuts

  private struct Pair: Hashable { var from: Int, to: Int }

  private mutating func addCuts(_ faults: [LinkFault], _ ids: [Int]) {
    let cut = Set(faults.filter(\.isCut).map { Pair(from: $0.from, to: $0.to) })
    guard !cut.isEmpty else { return }
    let sides = sides(cut, ids)
    guard let largest = sides.map(\.count).max(), sides.count > 1 else { return addPairs(cut, ids) }
    items.append(Array(sides.map(spaced).joined(separator: [say(" ╳ ")])) + [say(" cut")])
    // Neither of two halves is the rest of the cluster.
    let isTie = sides.count { $0.count == largest } > 1
    for side in sides where isTie || side.count < largest { for id in side { troubles[id] = .cutOff } }
  }

  /// The groups between which everything is cut and within which nothing is; empty if there are none such.
  private func sides(_ cut: Set<Pair>, _ ids: [Int]) -> [[Int]] {
    var sides: [[Int]] = []
    for id in ids {
      let own = sides.firstIndex { side in side.contains { !cut.contains(Pair(from: id, to: $0)) } }
      if let own { sides[own].append(id) } else { sides.append([id]) }
    }
    for side in sides {
      for id in side {
        for other in ids where other != id {
          let isCut = cut.contains(Pair(from: id, to: other)), isCutBack = cut.contains(Pair(from: other, to: id))
          guard isCut == isCutBack, isCut == !side.contains(other) else { return [] }
        }
      }
    }
    return sides.sorted { ($1.count, ids.firstIndex(of: $0[0])!) < ($0.count, ids.firstIndex(of: $1[0])!) }
  }

  private mutating func addPairs(_ cut: Set<Pair>, _ ids: [Int]) {
    for from in ids {
      for to in ids where cut.contains(Pair(from: from, to: to)) {
        let isMutual = cut.contains(Pair(from: to, to: from))
        if isMutual, from > to { continue }
        items.append([word(from), say(isMutual ? " ╳ " : " → "), word(to), say(" cut")])
      }
    }
  }

  // MARK: Slow and lossy links

  /// Names the nodes all of whose links have the same fault, but for links to nodes that are named already; then, pair
  /// by pair, the links that are left.
  private mutating func addByNode(
    _ faults: [(link: LinkFault, amount: Int)], _ ids: [Int], _ words: (Int) -> (text: String, trouble: Trouble)
  ) {
    var left = Dictionary(faults.map { (Pair(from: $0.link.from, to: $0.link.to), $0.amount) }) { first, _ in first }
    var named: Set<Int> = []
    var isGoingOn = !left.isEmpty
    while isGoingOn {
      isGoingOn = false
      for id in ids where !named.contains(id) {
        let others = ids.filter { $0 != id && !named.contains($0) }
        let amounts = others.flatMap { [left[Pair(from: id, to: $0)], left[Pair(from: $0, to: id)]] }
        guard let first = amounts.first, let amount = first, amounts.allSatisfy({ $0 == amount }) else { continue }
        for other in others { for pair in [Pair(from: id, to: other), Pair(from: other, to: id)] { left[pair] = nil } }
        named.insert(id)
        let said = words(amount)
        items.append([word(id), say(said.text)])
        if troubles[id] == nil { troubles[id] = said.trouble }
        isGoingOn = true
      }
    }
    for pair in left.keys.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
      guard let amount = left[pair] else { continue }
      items.append([word(pair.from), say(" → "), word(pair.to), say(words(amount).text)])
    }
  }
}
