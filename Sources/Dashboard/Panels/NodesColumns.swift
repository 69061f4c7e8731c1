import ClusterModel

/// The nodes table's columns: what fits is chosen by importance, what is chosen stands in reading order.
struct NodesColumns {
  enum Column: CaseIterable {
    case state, share, keys, keysMeter, cache, cacheTrend, wal, live, hints, lag, sync, operations

    var title: String {
      switch self {
      case .state: "state"
      case .share: "owns"
      case .keys: "keys"
      case .keysMeter: "|mean"
      case .cache: "cache"
      case .cacheTrend: "of late"
      case .sync: "fsync99"
      case .wal: "log"
      case .live: "live"
      case .hints: "hints"
      case .lag: "lag"
      case .operations: "ops/s"
      }
    }

    /// Columns of cells, without the blank before.
    var width: Int {
      switch self {
      case .state: 9
      case .share: 5
      case .keys: 6
      case .keysMeter: 6
      case .cache: 5
      case .cacheTrend: 8
      case .sync: 7
      case .wal: 8
      case .live: 5
      case .hints: 6
      case .lag: 7
      case .operations: 6
      }
    }

    var isLeftAligned: Bool { self == .state || self == .keysMeter || self == .cacheTrend }

    /// The order of rows that the column's heading stands for.
    var criterion: NodeOrder.Criterion? {
      switch self {
      case .share: .share
      case .keys: .keys
      case .operations: .operations
      case .wal: .log
      case .hints: .hints
      case .state, .keysMeter, .cache, .cacheTrend, .live, .lag, .sync: nil
      }
    }
  }

  /// A column and the room it got.
  struct Placed { var column: Column, start: Int, width: Int }

  /// Columns of the name with its colour swatch and state sign.
  let nameWidth: Int
  let placed: [Placed]

  /// Most important first.
  private static let importance: [Column] = [
    .share, .keys, .operations, .state, .cache, .hints, .wal, .keysMeter, .sync, .live, .cacheTrend,
  ]
  /// While writes wait for a node that is more than how well caches do.
  private static let importanceWithHints: [Column] = [
    .share, .keys, .operations, .state, .hints, .cache, .wal, .keysMeter, .sync, .live, .cacheTrend,
  ]
  /// Where some nodes copy others: how far they are behind, and nothing of what such a cluster does not have.
  private static let importanceWithRoles: [Column] = [
    .share, .keys, .operations, .state, .lag, .cache, .wal, .keysMeter, .cacheTrend,
  ]
  /// Before the name: swatch, sign and the blanks after each.
  static let signsWidth = 4
  private static let meterWidthMax = 28
  private static let trendWidthMax = 24

  init(width: Int, names: [String], hasHints: Bool, hasRoles: Bool = false) {
    let longest = names.map(\.columns).max() ?? 0
    nameWidth = Self.signsWidth + Swift.max(4, Swift.min(longest, Swift.max(6, width / 5)))
    var room = width - nameWidth - 1
    var chosen: [Column: Int] = [:]
    let importance =
      hasRoles ? Self.importanceWithRoles : hasHints ? Self.importanceWithHints : Self.importance
    for column in importance {
      // In little room the state's word is cut before it is left out: `leavi…`.
      let least = column == .state ? 6 : column.width
      guard room >= least + 1 else { continue }
      chosen[column] = least
      room -= least + 1
    }
    func widen(_ column: Column, to most: Int) {
      guard let width = chosen[column] else { return }
      let more = Swift.max(0, Swift.min(room, most - width))
      chosen[column] = width + more
      room -= more
    }
    widen(.state, to: Column.state.width)
    widen(.keysMeter, to: Self.meterWidthMax)
    widen(.cacheTrend, to: Self.trendWidthMax)
    placed = Self.place(chosen, after: nameWidth, spare: room)
  }

  /// Left over room goes between the columns, a cell each, so that a wide table does not huddle at the left.
  private static func place(_ chosen: [Column: Int], after nameWidth: Int, spare: Int) -> [Placed] {
    let columns = Column.allCases.filter { chosen[$0] != nil }
    let gap = 1 + (columns.isEmpty ? 0 : Swift.max(0, Swift.min(2, spare / columns.count)))
    var start = nameWidth
    return columns.map { column in
      let width = chosen[column] ?? 0
      defer { start += gap + width }
      return Placed(column: column, start: start + gap, width: width)
    }
  }
}
