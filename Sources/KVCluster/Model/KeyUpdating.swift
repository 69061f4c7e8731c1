import Text

/// Read-modify-writes: one step that nothing comes between, as linearizable as puts and gets, through node failures and while
/// nodes join and leave.
///
/// ```swift
/// try await cluster.increment(Array("visits".utf8))
/// let isMine = try await cluster.insert(Array("lock".utf8), Array("me".utf8))
/// ```
///
/// Each needs as many owners at once as both a get and a put; where there are too few it throws `ClusterError.unavailable`,
/// and nothing was written. `ClusterError.indeterminate` says that a node died, or a disk failed, in the middle: it may have
/// taken effect. While links are faulty an operation waits for owners whose messages get through, as long as any other.
public protocol KeyUpdating {
  /// Lets `transform` decide what becomes of a key's value.
  /// - Parameters:
  ///   - key: 1 to 65,535 bytes.
  ///   - transform: gets the value, `nil` for none, and says what to write and what to return. Called while a lock is held,
  ///     perhaps more than once, and at most once with effect: it must be quick, and must not call the store.
  /// - Returns: what `transform` returned.
  func update<R: Sendable>(
    _ key: [UInt8], _ transform: @escaping @Sendable (_ value: [UInt8]?) -> (change: Change, result: R)
  ) async throws(ClusterError) -> R

  /// Lets `transform` decide what becomes of several keys in one step, all or nothing: nobody sees a part of it, and no crash
  /// leaves one.
  /// - Parameters:
  ///   - keys: each once.
  ///   - transform: gets the values in the order of the keys, and says what becomes of each. Called while locks are held,
  ///     perhaps more than once, and at most once with effect: it must be quick, and must not call the store.
  /// - Returns: what `transform` returned.
  func update<R: Sendable>(
    all keys: [[UInt8]],
    _ transform: @escaping @Sendable (_ values: [[UInt8]?]) -> (changes: [Change], result: R)
  ) async throws(ClusterError) -> R
}

extension KeyUpdating {
  /// The values of several keys at one moment; `nil` where there is none.
  /// - Parameter keys: each once.
  public func readTogether(_ keys: [[UInt8]]) async throws(ClusterError) -> [[UInt8]?] {
    try await update(all: keys) { ($0.map { _ in .keep }, $0) }
  }

  /// Writes `new`, or deletes the key for `nil`, if its value is `expected`, `nil` for none.
  /// - Returns: whether it was.
  public func compareAndSet(_ key: [UInt8], expected: [UInt8]?, to new: [UInt8]?) async throws(ClusterError) -> Bool {
    let update = Update.swap(expected: expected, to: new)
    return try await self.update(key) { (update.change(of: $0), $0 == expected) }
  }

  /// Writes a value where there is none.
  /// - Returns: whether there was none.
  public func insert(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError) -> Bool {
    try await update(key) { (Update.insert(value).change(of: $0), $0 == nil) }
  }

  /// Adds to a value that is a whole number in decimal digits; no value counts as 0.
  /// - Returns: the sum.
  /// - Throws: `ClusterError.invalidArgument` if it is no such number, or the sum does not fit in 64 bits; nothing was changed.
  @discardableResult
  public func increment(_ key: [UInt8], by amount: Int64 = 1) async throws(ClusterError) -> Int64 {
    let sum = try await update(key) { value -> (Change, Result<Int64, ClusterError>) in
      let number: Int64
      do throws(ClusterError) { number = try WholeNumber.read(value) } catch { return (.keep, .failure(error)) }
      let (sum, isTooLarge) = number.addingReportingOverflow(amount)
      if isTooLarge {
        return (.keep, .failure(.invalidArgument("the sum does not fit in 64 bits; nothing was changed")))
      }
      return (.put(Array(String(sum).utf8), .kept), .success(sum))
    }
    return try sum.get()
  }

  /// Appends to a value; no value counts as an empty one.
  /// - Returns: the value's byte count.
  @discardableResult
  public func append(_ key: [UInt8], _ suffix: [UInt8]) async throws(ClusterError) -> Int {
    try await update(key) { (Update.append(suffix).change(of: $0), ($0?.count ?? 0) + suffix.count) }
  }

  /// Deletes a key.
  /// - Returns: the value that it had.
  public func take(_ key: [UInt8]) async throws(ClusterError) -> [UInt8]? {
    try await update(key) { (Update.delete.change(of: $0), $0) }
  }
}

/// Values that count.
private enum WholeNumber {
  /// The number, if it is written as ``KeyUpdating/increment(_:by:)`` writes it; no value is 0.
  static func read(_ value: [UInt8]?) throws(ClusterError) -> Int64 {
    guard let value else { return 0 }
    let text = String(decoding: value, as: UTF8.self)
    let number = Int64(text)
    if let number, Array(String(number).utf8) == value { return number }
    let isWhole =
      value.contains { $0 >= UInt8(ascii: "0") }
      && value.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
    let fault =
      if let number { "is not written as \(number) is, without a plus sign or zeros in front" } else if isWhole {
        "does not fit in 64 bits"
      } else { "is no whole number" }
    throw .invalidArgument(.init("the value “\(Quoted.preview(value, bytesMax: 64))” \(fault); nothing was changed"))
  }
}
