/// Reads and writes of watched keys: what `Cluster+Operations` does, between the beginning and the end of a record.
///
/// Apart, and never inlined, so that all other keys pay for no more than the question.
extension Cluster {
  @inline(never)
  func watchedPut(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError) {
    let slot = key.withBytes { key in value.withBytes { tap.begin(.put, key, ObservedValue($0)) } }
    do throws(ClusterError) {
      try await write(.value, key, value)
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done)
  }

  @inline(never)
  func watchedGet(_ key: [UInt8]) async throws(ClusterError) -> [UInt8]? {
    let slot = key.withBytes { tap.begin(.get, $0) }
    let value: [UInt8]?
    do throws(ClusterError) {
      value = try await read(key)
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done, found: value?.withBytes { ObservedValue($0) } ?? .absent)
    return value
  }

  @inline(never)
  func watchedDelete(_ key: [UInt8]) async throws(ClusterError) {
    let slot = key.withBytes { tap.begin(.delete, $0) }
    do throws(ClusterError) {
      try await write(.tombstone, key, [])
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done)
  }

  @inline(never)
  func watchedPut(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(ClusterError) {
    let slot = tap.begin(.put, key, ObservedValue(value))
    do throws(ClusterError) {
      try writeBlocking(.value, key, value)
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done)
  }

  @inline(never)
  func watchedDelete(_ key: UnsafeRawBufferPointer) throws(ClusterError) {
    let slot = tap.begin(.delete, key)
    do throws(ClusterError) {
      try writeBlocking(.tombstone, key, UnsafeRawBufferPointer(start: key.baseAddress, count: 0))
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done)
  }

  @inline(never)
  func watchedGet(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ClusterError) -> Int? {
    let slot = tap.begin(.get, key)
    var found = ObservedValue.absent
    let count: Int?
    do throws(ClusterError) {
      count = try readBlocking(key) { value in
        found = ObservedValue(value)
        return Cluster.copy(value, to: buffer)
      }
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done, found: found)
    return count
  }

  /// Ends the record of an operation that threw.
  func ended(_ slot: Int?, _ error: ClusterError) -> ClusterError {
    switch error {
    case .invalidArgument, .unavailable, .refused, .dataFolder, .notServing: tap.end(slot, .failed)
    case .indeterminate, .storage: tap.end(slot, .unknown)
    }
    return error
  }
}
