import Text

/// Why too few of a key's owners know, in words that say what helps.
struct Refusal {
  var needed: Int
  var owners: Int
  var consistency: Consistency?
  var folder: String
  /// Owners that answer and could not take the version that a get has found, and why.
  var failures: [(name: String, reason: String)] = []
  /// Steps that make room, if owners could not take it because their disk is full; `nil` if it is not.
  var room: [Advice]?
  /// Why owners do not answer.
  var silence = Silence()
  /// Owners that are up and do not answer.
  var unreached: [String] = []
  /// Owners that have lost records and have not been compared with the others yet.
  var suspects: [String] = []
  /// Owners whose copy of the key does not verify.
  var damaged: [String] = []
  /// The range, if so many of its owners have lost records that were on their disks that the others cannot say what was
  /// acknowledged.
  var lost: [LostRange] = []

  /// Why a node failed.
  struct Failure {
    var reason: String
    /// It failed when it was to start, and will again until something is mended.
    var cannotStart: Bool

    var words: String { (cannotStart ? "cannot start: " : "failed: ") + reason }
  }

  var error: ClusterError {
    if !lost.isEmpty { return .storage(detail(mayBeLost, .verify(folder: folder), .acceptLoss(folder: folder))) }
    if !damaged.isEmpty { return .storage(detail(noGoodCopy, .verify(folder: folder))) }
    if !suspects.isEmpty { return .notServing(detail(comparing)) }
    // One that is up and not reached may be reached by the next try.
    if unreached.isEmpty, let failed { return .storage(failed) }
    if !failures.isEmpty {
      var detail = detail(cannotKeep)
      detail.advice += room ?? []
      return .storage(detail)
    }
    if missing.isEmpty { return .notServing(detail(disagreeing)) }
    return .unavailable(
      needed: needed, live: owners - missing.count, owners: owners, missing: missing, consistency: consistency,
      silence: unreached.isEmpty ? nil : silence)
  }

  private var mayBeLost: String {
    "acknowledged writes may be lost: \(LostRange.words(lost))\(others). Nothing was changed"
  }

  private var noGoodCopy: String {
    let copies = Figures.word(damaged.count, "the copy of this key", "the copies")
    let are = Figures.word(damaged.count, "is", "are")
    return
      "\(copies) on \(Names.list(damaged)) \(are) damaged\(others), and too few owners have a good one. Nothing was changed; a new put or delete "
      + "replaces the value"
  }

  private var comparing: String {
    let are = Figures.word(suspects.count, "is", "are")
    // Time alone does not help where one that is needed is silent.
    let again = missing.isEmpty ? "; try again in a moment" : ""
    return "\(Names.list(suspects)) \(are) being compared with the other owners after damage\(others)\(again). "
      + "Nothing was changed"
  }

  /// A write that never ended, and that a get may return only once enough owners have it.
  private var cannotKeep: String {
    let reasons = Self.each(failures, separator: ": ")
    return
      "the newest write of the key never ended, and fewer than \(needed) of its \(owners) owners have it\(others), so it "
      + "may not be returned before the others take it, which they cannot (\(reasons))\(room == nil ? "" : "; free some space")"
  }

  private var disagreeing: String {
    "fewer than \(needed) of the key's \(owners) owners know its newest version just now; try again in a moment. "
      + "Nothing was changed"
  }

  private var others: String {
    if missing.isEmpty { return "" }
    return ", and \(Names.list(missing)) \(Figures.word(missing.count, "does", "do")) not answer"
  }

  /// Owners that do not answer.
  private var missing: [String] { (silence.down.map(\.name) + unreached).sorted(by: Configuration.countsBefore) }

  /// With the advice given, after that for what does not answer.
  private func detail(_ text: String, _ advice: Advice...) -> ClusterError.Detail {
    var detail = ClusterError.Detail(text, nodes: suspects + damaged + missing)
    detail.advice = silence.advice + advice
    return detail
  }

  /// Each reason once, with all nodes that it holds for. A file is the same one of each if its node's folder alone differs, or
  /// the number of its segment.
  private static func each(_ reasons: [(name: String, reason: String)], separator: String) -> String {
    var groups: [(kind: String, common: String, names: [String], reason: String)] = []
    for (name, reason) in reasons {
      let common = reason.replacing("\(DataFolder.logFolder(name))/", with: "\(DataFolder.logFolder("*"))/")
      let kind = common.replacing(/[0-9]+\.segment/, with: "*.segment")
      if let known = groups.firstIndex(where: { $0.kind == kind }) {
        groups[known].names.append(name)
        if groups[known].common != common { groups[known].common = kind }
      } else {
        groups.append((kind, common, [name], reason))
      }
    }
    return groups.map { group in
      group.names.count == 1
        ? "\(group.names[0])\(separator)\(group.reason)" : "\(Names.list(group.names))\(separator)\(group.common)"
    }.joined(separator: "; ")
  }

  /// `nil` if no owner failed.
  private var failed: ClusterError.Detail? {
    let failed = silence.down.filter { $0.failure != nil }
    guard !failed.isEmpty else { return nil }
    let stopped = Silence(down: silence.down.filter { $0.failure == nil }).words
    let reasons = Self.each(failed.map { ($0.name, $0.failure ?? "") }, separator: " ") + stopped
    var detail = ClusterError.Detail(
      "unavailable: \(needed) of the key's \(owners) owners must answer\(consistency.words), "
        + "\(owners - missing.count) can. \(reasons). Nothing was changed", nodes: missing)
    detail.advice = silence.advice
    return detail
  }
}
