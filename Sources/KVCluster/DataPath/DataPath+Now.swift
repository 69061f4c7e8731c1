/// Operations for threads that must not wait, such as event loops: each is carried as far as it goes without waiting.
///
/// An operation that has to wait for disks is begun: what follows it on the same thread sees it, and its caller is told when
/// it counts. One that would have to wait before it begins (links are faulty, so that it goes by message; a disk is too far
/// behind) is not begun, and its caller calls the asynchronous form.
extension DataPath {
  /// How far an operation has got.
  package enum Begun {
    case done
    /// It waits for disks.
    case pending(PendingCall)
    /// It was not begun: it would have to wait first.
    case mustWait
  }

  /// An operation that has been carried out and waits for disks.
  package struct PendingCall: Sendable {
    fileprivate let data: DataPath
    fileprivate let unfinished: Unfinished

    /// Calls `body` once: when enough disks have it, with `nil`, else with what is known. On any thread, perhaps at once.
    package func onEnd(_ body: @escaping @Sendable (ClusterError?) -> Void) {
      unfinished.pending.onDecision { [data, unfinished] outcome in
        do throws(ClusterError) {
          if unfinished.operation.kind == .get {
            _ = try data.finishRead(unfinished, outcome, nil as Void?) { _ in }
          } else {
            try data.finishWrite(unfinished, outcome)
          }
          body(nil)
        } catch {
          body(error)
        }
      }
    }
  }

  /// A put at the cluster's own level. Allocates nothing unless it has to wait, or the value expires.
  package func putNow(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ expiry: ExpiryTime? = nil
  ) throws(ClusterError) -> Begun {
    if links.isFaulty || holdsWritersBack { return .mustWait }
    let operation = try begin(.put, key, value, nil)
    do throws(ClusterError) {
      let tag: Tag
      do { tag = try tags.draw() } catch { throw .storage(error.refusingWrite) }
      let pending =
        if let expiry { try carry(operation, key, value, tag, expiry) } else {
          try direct.write(operation, key, value, tag)
        }
      if let pending {
        return .pending(PendingCall(data: self, unfinished: Unfinished(operation: operation, pending: pending)))
      }
    } catch {
      throw failed(operation, error)
    }
    end(operation)
    return .done
  }

  /// A read-modify-write.
  /// - Parameter transform: gets what there is, under its partition's lock.
  /// - Returns: what `transform` has told, `nil` if it was not begun, and how far the operation has got.
  package func updateNow<R>(
    _ key: UnsafeRawBufferPointer, _ transform: (Found) -> (Change, R)
  ) throws(ClusterError) -> (result: R?, begun: Begun) {
    if links.isFaulty || holdsWritersBack { return (nil, .mustWait) }
    var operation = try begin(.update, key, UnsafeRawBufferPointer(start: nil, count: 0), nil)
    var record: Int?
    let (result, pending): (R, PendingOperation?)
    do throws(ClusterError) {
      (result, pending) = try direct.update(operation, key) { found in
        let (change, result) = transform(found)
        if tap.watches(operation.hash) { record = DataPath.record(change, of: key, found: found.value, in: tap) }
        return (change, result)
      }
    } catch {
      operation.record = record
      throw failed(operation, error)
    }
    operation.record = record
    if let pending {
      return (result, .pending(PendingCall(data: self, unfinished: Unfinished(operation: operation, pending: pending))))
    }
    end(operation)
    return (result, .done)
  }

  /// A get at the cluster's own level. Allocates nothing unless it has to wait.
  /// - Parameter take: gets the value, if there is one, under its partition's lock; what it makes of it counts once the
  ///   operation has ended.
  /// - Returns: whether there is a value, and how far the operation has got.
  package func readNow(
    _ key: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
  ) throws(ClusterError) -> (isFound: Bool, begun: Begun) {
    if links.isFaulty { return (false, .mustWait) }
    let operation = try begin(.get, key, UnsafeRawBufferPointer(start: nil, count: 0), nil)
    let (result, pending): (Void?, PendingOperation?)
    do throws(ClusterError) {
      if operation.record == nil {
        (result, pending) = try direct.read(operation, key) { $0.map(take) }
      } else {
        (result, pending) = try readRecorded(operation, key, take)
      }
    } catch {
      throw failed(operation, error)
    }
    if let pending {
      let unfinished = Unfinished(operation: operation, pending: pending)
      return (result != nil, .pending(PendingCall(data: self, unfinished: unfinished)))
    }
    end(operation)
    return (result != nil, .done)
  }
}
