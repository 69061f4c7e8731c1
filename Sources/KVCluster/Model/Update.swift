/// What a read-modify-write makes of the value that it found.
public enum Change: Equatable, Sendable {
  /// Nothing is written.
  case keep
  /// This value is written.
  case put([UInt8])
  /// The key is deleted.
  case delete
}

/// A read-modify-write of the usual kinds.
package enum Update: Equatable, Sendable {
  /// Writes a value whatever there is.
  case replace([UInt8])
  /// Writes a value where there is none.
  case insert([UInt8])
  /// Writes a value where there is one.
  case overwrite([UInt8])
  /// Writes a value, or deletes the key for `nil`, if it has this value, or none for `nil`.
  case swap(expected: [UInt8]?, to: [UInt8]?)
  case append([UInt8])
  case delete

  package func change(of old: [UInt8]?) -> Change {
    switch self {
    case .replace(let value): return .put(value)
    case .insert(let value): return old == nil ? .put(value) : .keep
    case .overwrite(let value): return old == nil ? .keep : .put(value)
    case .swap(let expected, let new):
      if old != expected { return .keep }
      guard let new else { return old == nil ? .keep : .delete }
      return .put(new)
    case .append(let suffix): return .put((old ?? []) + suffix)
    case .delete: return old == nil ? .keep : .delete
    }
  }
}
