/// Numbers the contents of one key, so that the search compares integers.
///
/// Contents that nobody can tell apart get the same number. Nobody looks at contents unless a get returned them or a
/// compare-and-set expects them; and contents that no observed value equals (if the history appends: starts with)
/// cannot become observable by appending. All of those behave alike from then on, so they are one state, ``other``.
struct RegisterStates {
  /// Contents that no operation of this history can recognise.
  static let other: Int32 = 0
  static let absent: Int32 = 1

  /// Sorted, without repetition: the contents that some operation recognises.
  private let observed: [[UInt8]]
  private let absentMatters: Bool
  private let hasAppends: Bool
  /// State `s` stands for `contents[s]`; the first two entries are placeholders.
  private var contents: [[UInt8]] = [[], []]
  private var numbers: [[UInt8]: Int32] = [:]
  private var suffixes: [[UInt8]] = []
  private var suffixNumbers: [[UInt8]: Int32] = [:]
  /// Results of appends already made, by state and suffix.
  private var grown: [UInt64: Int32] = [:]

  init(_ history: RegisterHistory) {
    var values: [[UInt8]] = []
    var absentIsObserved = false
    for operation in history.operations {
      guard let seen = operation.observes else { continue }
      if let value = seen { values.append(value) } else { absentIsObserved = true }
    }
    values.sort { $0.lexicographicallyPrecedes($1) }
    observed = values.enumerated().filter { $0.offset == 0 || values[$0.offset - 1] != $0.element }.map(\.element)
    hasAppends = history.hasAppends
    absentMatters = absentIsObserved || hasAppends
  }

  /// States are `0 ..< count`; appends add to them.
  var count: Int { contents.count }

  /// - Complexity: O(bytes · log observed values).
  mutating func state(of value: History.Contents) -> Int32 {
    guard let value else { return absentMatters ? Self.absent : Self.other }
    if let known = numbers[value] { return known }
    guard matters(value) else { return Self.other }
    let state = Int32(contents.count)
    contents.append(value)
    numbers[value] = state
    return state
  }

  /// Numbers an append's argument for ``appending(_:to:)``.
  mutating func suffix(_ bytes: [UInt8]) -> Int32 {
    if let known = suffixNumbers[bytes] { return known }
    let suffix = Int32(suffixes.count)
    suffixes.append(bytes)
    suffixNumbers[bytes] = suffix
    return suffix
  }

  mutating func appending(_ suffix: Int32, to state: Int32) -> Int32 {
    if state == Self.other { return Self.other }
    let pair = UInt64(UInt32(state)) << 32 | UInt64(UInt32(suffix))
    if let known = grown[pair] { return known }
    let before = state == Self.absent ? [] : contents[Int(state)]
    let after = self.state(of: before + suffixes[Int(suffix)])
    grown[pair] = after
    return after
  }

  /// Whether an append of `bytes` can make contents that are recognised, or become so by further appends. The empty
  /// append changes nothing, except that it makes absent contents empty.
  func appendMatters(_ bytes: [UInt8]) -> Bool {
    observed.contains { bytes.isEmpty ? $0.isEmpty : $0.contains(part: bytes) }
  }

  /// Whether some observed value equals `value` or, if the history appends, starts with it.
  private func matters(_ value: [UInt8]) -> Bool {
    var low = 0
    var high = observed.count
    while low < high {
      let middle = (low + high) / 2
      if observed[middle].lexicographicallyPrecedes(value) { low = middle + 1 } else { high = middle }
    }
    guard low < observed.count else { return false }
    // In byte order the values that start with `value` follow it directly.
    return hasAppends ? observed[low].starts(with: value) : observed[low] == value
  }
}

extension [UInt8] {
  /// Whether `part` occurs somewhere in these bytes.
  func contains(part: [UInt8]) -> Bool {
    guard part.count <= count else { return false }
    return (0...(count - part.count)).contains { self[$0...].starts(with: part) }
  }
}
