/// Why too few of a key's owners know, in words that say what helps.
struct Refusal {
  var needed: Int
  var owners: Int
  var consistency: Consistency?
  var folder: String
  /// Owners that do not answer, and why, if they failed.
  var missing: [(name: String, failure: String?)] = []
  /// Owners that have lost records and have not been compared with the others yet.
  var suspects: [String] = []
  /// Owners whose copy of the key does not verify.
  var damaged: [String] = []
  /// The range, if so many of its owners have lost records that were on their disks that the others cannot say what was
  /// acknowledged.
  var lost: [LostRange] = []

  var error: ClusterError {
    if !lost.isEmpty { return .storage(mayBeLost) }
    if !damaged.isEmpty { return .storage(noGoodCopy) }
    if !suspects.isEmpty { return .notServing(comparing) }
    if let failed { return .storage(failed) }
    return .unavailable(
      needed: needed, live: owners - missing.count, owners: owners,
      missing: missing.map(\.name).sorted(by: Configuration.countsBefore), consistency: consistency)
  }

  private var mayBeLost: String {
    "acknowledged writes may be lost: of \(lost.map(\.words).joined(separator: "; of "))\(others). Nothing was changed; close "
      + "kvstore, then `kvstore verify \(folder)` says where the damage is, and `kvstore repair \(folder) --accept-loss` "
      + "goes on with what is left"
  }

  private var noGoodCopy: String {
    let copies =
      damaged.count == 1 ? "the copy of this key on \(damaged[0]) is" : "the copies on \(Names.list(damaged)) are"
    return "\(copies) damaged\(others), and too few owners have a good one. Nothing was changed; a new put or delete "
      + "replaces the value, `kvstore verify \(folder)` says where the damage is"
  }

  private var comparing: String {
    let are = suspects.count == 1 ? "is" : "are"
    return "\(Names.list(suspects)) \(are) being compared with the other owners after damage\(others); "
      + "try again in a moment. Nothing was changed"
  }

  private var others: String {
    if missing.isEmpty { return "" }
    let names = missing.map(\.name).sorted(by: Configuration.countsBefore)
    return ", and \(Names.list(names)) \(names.count == 1 ? "does" : "do") not answer (`restart \(names[0])`)"
  }

  /// `nil` if no owner failed.
  private var failed: String? {
    let failed = missing.filter { $0.failure != nil }.sorted { Configuration.countsBefore($0.name, $1.name) }
    guard let first = failed.first else { return nil }
    let reasons = failed.map { "\($0.name) failed: \($0.failure ?? "")" }.joined(separator: "; ")
    return "unavailable: \(needed) of the key's \(owners) owners must answer\(consistency.words), "
      + "\(owners - missing.count) can. \(reasons). Nothing was changed; `restart \(first.name)` tries it again"
  }
}
