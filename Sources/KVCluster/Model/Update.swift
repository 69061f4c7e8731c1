/// What a read-modify-write makes of the value that it found.
public enum Change: Equatable, Sendable {
  /// Nothing is written.
  case keep
  /// This value is written.
  case put([UInt8], ExpiryChange = .none)
  /// The key is deleted.
  case delete
}

/// When a value that is written ends.
public enum ExpiryChange: Equatable, Sendable {
  /// Not by itself.
  case none
  /// When the value that it replaces would have ended.
  case kept
  /// Then; at once if that has passed.
  case set(ExpiryTime)
}

/// What a read-modify-write has found of a key.
package struct Found {
  /// `nil` if there is none, or it has expired.
  package let value: UnsafeRawBufferPointer?
  /// When the value expires, in Unix milliseconds.
  package let expiry: UInt64?

  package init(value: UnsafeRawBufferPointer?, expiry: UInt64? = nil) {
    (self.value, self.expiry) = (value, expiry)
  }
}

/// A read-modify-write of the usual kinds.
package enum Update: Equatable, Sendable {
  /// Writes a value whatever there is.
  case replace([UInt8], ExpiryChange = .none)
  /// Writes a value where there is none.
  case insert([UInt8])
  /// Writes a value where there is one.
  case overwrite([UInt8])
  /// Writes a value, or deletes the key for `nil`, if it has this value, or none for `nil`. It ends when the one before would.
  case swap(expected: [UInt8]?, to: [UInt8]?)
  case append([UInt8])
  case delete
  /// Gives a value another end.
  case expire(ExpiryChange)

  package func change(of old: [UInt8]?) -> Change {
    switch self {
    case .replace(let value, let expiry): return .put(value, expiry)
    case .insert(let value): return old == nil ? .put(value) : .keep
    case .overwrite(let value): return old == nil ? .keep : .put(value)
    case .swap(let expected, let new):
      if old != expected { return .keep }
      guard let new else { return old == nil ? .keep : .delete }
      return .put(new, .kept)
    case .append(let suffix): return .put((old ?? []) + suffix, .kept)
    case .delete: return old == nil ? .keep : .delete
    case .expire(let expiry): return old.map { .put($0, expiry) } ?? .keep
    }
  }
}

/// A key of a batch, as it was found.
package struct FoundKey: Sendable {
  /// `nil` if it has none or it has expired, or if the batch does not look at values.
  package let value: [UInt8]?
  /// Whether it has a value.
  package let exists: Bool
  /// When the value expires, in Unix milliseconds.
  package let expiry: UInt64?
  /// Of the newest version: no two writes have the same; 0 of a key that was never written, or long ago.
  package let version: UInt64
}
