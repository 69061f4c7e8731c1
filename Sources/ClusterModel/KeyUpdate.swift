/// A read-modify-write of one key: one step that nothing comes between.
public enum KeyUpdate: Sendable, Equatable {
  /// Writes a value if the key has the expected one; `nil` expects none.
  case compareAndSet(expected: [UInt8]?, value: [UInt8])
  /// Adds to a value that is a whole number of 64 bits in decimal digits; no value counts as 0.
  case increment(by: Int64)
  /// Appends to a value; no value counts as an empty one.
  case append([UInt8])
  /// Removes the key and tells its value.
  case take
  /// Gives the key an end.
  case expire(ExpiryTime)
  /// Takes the end away.
  case persist
  /// Changes nothing.
  case timeToLive
}

/// What a ``KeyUpdate`` found or made.
public enum KeyUpdateResult: Sendable, Equatable {
  /// The value was the expected one, and is the new one now.
  case swapped
  /// The value is this one, and stays; `nil`: there is none.
  case differs([UInt8]?)
  /// The sum.
  case sum(Int64)
  /// Bytes of the value now.
  case length(Int)
  /// The value that the key had; `nil` if it had none.
  case taken([UInt8]?)
  /// What is left of the key's time. ``KeyUpdate/persist`` tells what was left before it.
  case timeToLive(TimeToLive)
}
