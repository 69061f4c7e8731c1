/// Version of the encoded form of statuses and events: a reader refuses any other than its own, for it cannot know what it
/// would misread.
public struct FormatVersion: Sendable, Equatable, Codable {
  /// The version that this program writes.
  public static let current = 2

  /// The version that the encoder wrote.
  public let number: Int

  /// The version that this program writes.
  public init() { number = FormatVersion.current }

  /// - Throws: `DecodingError` that says both versions.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    number = try container.decode(Int.self)
    guard number == FormatVersion.current else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "it has version \(number), and this program reads version "
          + "\(FormatVersion.current): use the same kvstore on both sides")
    }
  }

  /// The reason why a value cannot be decoded, without the decoder's path through it.
  package static func words(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "it has no \"\(key.stringValue)\""
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      context.debugDescription.hasSuffix(".") ? String(context.debugDescription.dropLast()) : context.debugDescription
    default: "\(error)"
    }
  }

  /// As a plain number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }
}
