/// Faults of the link from one node to another at a moment.
public struct LinkFault: Sendable, Equatable, Codable {
  /// Id of the node that sends.
  public var from: Int
  /// Id of the node that should receive.
  public var to: Int
  /// Nothing arrives.
  public var isCut: Bool
  /// Messages lost of each 1,000.
  public var lossPerMille: Int
  /// Delay added to every message, in nanoseconds.
  public var delayNs: UInt64

  /// A link is good in every respect that is not given.
  public init(from: Int, to: Int, isCut: Bool = false, lossPerMille: Int = 0, delayNs: UInt64 = 0) {
    self.from = from
    self.to = to
    self.isCut = isCut
    self.lossPerMille = lossPerMille
    self.delayNs = delayNs
  }
}
