/// A part of time, on the face's clock.
package struct GraphSpan: Equatable, Sendable {
  package var startNs: UInt64
  package var endNs: UInt64

  package init(startNs: UInt64, endNs: UInt64) { (self.startNs, self.endNs) = (startNs, Swift.max(startNs, endNs)) }

  package var lengthNs: UInt64 { endNs - startNs }

  /// Where a moment lies among `count` columns; `nil` outside of the span.
  func column(ofNs atNs: UInt64, of count: Int) -> Int? {
    guard atNs >= startNs, atNs <= endNs, lengthNs > 0, count > 0 else { return nil }
    return Swift.min(count - 1, Int(Double(atNs - startNs) / Double(lengthNs) * Double(count)))
  }

  /// The part of the span that a column shows.
  func part(_ column: Int, of count: Int) -> GraphSpan {
    let step = Double(lengthNs) / Double(Swift.max(1, count))
    return GraphSpan(
      startNs: startNs + UInt64(Double(column) * step), endNs: startNs + UInt64(Double(column + 1) * step))
  }
}

/// The time span that graphs show: its length and its end.
///
/// Left alone it ends now and grows with what there is to see, from 15 s to two minutes: a minute of nothing beside five
/// seconds of curve would say nothing. A reader who zooms or scrolls keeps the picture still.
package struct GraphView: Equatable, Sendable {
  /// A place in ``lengthsNs``, once the reader has chosen one.
  private var chosen: Int?
  /// The end of the span, once the reader has scrolled back.
  private var heldEndNs: UInt64?

  static let lengthsNs: [UInt64] = [5, 15, 30, 60, 120, 300, 600].map { $0 * 1_000_000_000 }
  /// The lengths that are taken unasked: 15 s to two minutes.
  private static let automatic = 1...4

  package init() {}

  /// Whether it ends before what was seen last.
  package var isScrolledBack: Bool { heldEndNs != nil }
  package var isChosen: Bool { chosen != nil || heldEndNs != nil }

  private func length(_ seen: GraphSpan) -> Int {
    chosen ?? Self.automatic.first { Self.lengthsNs[$0] >= seen.lengthNs } ?? Self.automatic.upperBound
  }

  /// The span that ends with what was seen last, or where the reader has scrolled to.
  func span(_ seen: GraphSpan) -> GraphSpan {
    let lengthNs = Self.lengthsNs[length(seen)]
    let endNs = Swift.min(heldEndNs ?? seen.endNs, seen.endNs)
    return GraphSpan(startNs: endNs - Swift.min(endNs, lengthNs), endNs: endNs)
  }

  /// The span of a run: it begins with the run and is as long as the run will be, as far as that is known, until the run
  /// is longer than two minutes, and ends with it then.
  /// - Parameter lengthNs: how long the run takes or is to take; `nil` if that is not known.
  func span(ofRun run: GraphSpan, lengthNs: UInt64?) -> GraphSpan {
    if isChosen { return span(run) }
    let longest = Self.lengthsNs[Self.automatic.upperBound]
    let wanted = Swift.min(lengthNs ?? .max, Self.lengthsNs[length(run)])
    guard run.lengthNs > longest else {
      return GraphSpan(startNs: run.startNs, endNs: run.startNs + Swift.max(1, wanted, run.lengthNs))
    }
    return GraphSpan(startNs: run.endNs - longest, endNs: run.endNs)
  }

  mutating func zoom(by step: Int, _ seen: GraphSpan) {
    chosen = Swift.max(0, Swift.min(Self.lengthsNs.count - 1, length(seen) + step))
  }

  /// Goes by quarters of the span, back or forth, as far as there is something to see.
  mutating func scroll(by quarters: Int, _ seen: GraphSpan) {
    let lengthNs = Self.lengthsNs[length(seen)]
    let endNs = heldEndNs ?? seen.endNs
    let first = Swift.min(seen.startNs + lengthNs, seen.endNs)
    if quarters < 0 {
      let byNs = UInt64(-quarters) * (lengthNs / 4)
      heldEndNs = Swift.max(first, endNs - Swift.min(endNs, byNs))
    } else {
      heldEndNs = endNs + UInt64(quarters) * (lengthNs / 4)
    }
    if let held = heldEndNs, held >= seen.endNs { heldEndNs = nil }
  }

  mutating func scrollToStart(_ seen: GraphSpan) { scroll(by: -1_000, seen) }

  /// Ends now again; if it did already, is as long as it likes again.
  mutating func followNow() {
    if heldEndNs == nil { chosen = nil }
    heldEndNs = nil
  }
}
