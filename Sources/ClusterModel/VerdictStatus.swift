import Text

/// What a checker that watches the running cluster has found: whether the answers that clients got on some keys can be
/// explained by one copy of each key that every operation acts on at one moment (linearizability).
public struct VerdictStatus: Sendable, Equatable, Codable {
  /// Operations judged since the start.
  public var operationsChecked: UInt64
  /// Keys whose every operation is being judged.
  public var keysWatched: Int
  /// One key in this many is watched, by its hash; `nil` while none is.
  public var keysPerWatched: Int?
  /// Answers that nothing explains.
  public var violations: UInt64
  /// The last of them that was explained.
  public var lastViolation: Violation?

  /// An answer that nothing explains, and why.
  public struct Violation: Sendable, Equatable, Codable {
    /// The wrong answer, in a line.
    public var summary: String
    /// The operations that contradict one another, as lines of text.
    public var explanation: [String]

    /// A checker makes these.
    public init(summary: String, explanation: [String]) {
      self.summary = summary
      self.explanation = explanation
    }
  }

  /// A checker makes these; without arguments, one that has seen nothing yet.
  public init(
    operationsChecked: UInt64 = 0, keysWatched: Int = 0, keysPerWatched: Int? = nil, violations: UInt64 = 0,
    lastViolation: Violation? = nil
  ) {
    self.operationsChecked = operationsChecked
    self.keysWatched = keysWatched
    self.keysPerWatched = keysPerWatched
    self.violations = violations
    self.lastViolation = lastViolation
  }

  /// `1,203,221 operations checked, 0 violations`.
  public var words: String {
    "\(Figures.count(Int(clamping: operationsChecked), "operation")) checked, "
      + "\(Figures.count(Int(clamping: violations), "violation"))"
  }
}
