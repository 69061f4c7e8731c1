import Synchronization

/// Read-modify-writes: what is made of a key's value when it is seen, in one step that nothing comes between.
extension DataPath {
  /// What an update has told, for a caller that waits for it elsewhere.
  private final class Answer<R: Sendable>: Sendable {
    struct State {
      var result: R?
      /// Its slot in the tap, if its key is watched.
      var record: Int?
      var error: ClusterError?
    }
    let state = Mutex(State())
  }

  /// Carries out a read-modify-write at the cluster's own level.
  /// - Parameter transform: gets what there is, while a lock is held; at most once with effect. It must not call
  ///   the cluster.
  package func update<R: Sendable>(
    _ key: [UInt8], _ transform: @escaping @Sendable (Found) -> (Change, R)
  ) async throws(ClusterError) -> R {
    let begun = try key.withBytes { key throws(ClusterError) in try beginUpdate(key, .update, transform) }
    guard let pending = begun.pending else { return try finishUpdate(begun.operation, begun.answer, .done) }
    return try finishUpdate(begun.operation, begun.answer, await pending.wait())
  }

  /// ``update(_:_:)`` on the calling thread.
  func updateBlocking<R: Sendable>(
    _ key: UnsafeRawBufferPointer, _ transform: @escaping @Sendable (Found) -> (Change, R)
  ) throws(ClusterError) -> R {
    let begun = try beginUpdate(key, .update, transform)
    return try finishUpdate(begun.operation, begun.answer, begun.pending?.waitBlocking() ?? .done)
  }

  /// ``update(_:_:)`` whose end is told to `completion`, once, perhaps before this returns.
  /// - Throws: nothing was done.
  package func submitUpdate<R: Sendable>(
    _ key: [UInt8], kind: ClientOperation.Kind = .update,
    _ transform: @escaping @Sendable (Found) -> (Change, R),
    completion: @escaping @Sendable (Result<R, ClusterError>) -> Void
  ) throws(ClusterError) {
    let begun = try key.withBytes { key throws(ClusterError) in try beginUpdate(key, kind, transform) }
    let end = { @Sendable [self] (outcome: ClientOperation.Outcome) in
      do throws(ClusterError) {
        completion(.success(try finishUpdate(begun.operation, begun.answer, outcome)))
      } catch {
        completion(.failure(error))
      }
    }
    if let pending = begun.pending { pending.onDecision(end) } else { end(.done) }
  }

  private struct BegunUpdate<R: Sendable>: Sendable {
    let operation: ClientOperation
    let answer: Answer<R>
    var pending: PendingOperation?
  }

  private func beginUpdate<R: Sendable>(
    _ key: UnsafeRawBufferPointer, _ kind: ClientOperation.Kind,
    _ transform: @escaping @Sendable (Found) -> (Change, R)
  ) throws(ClusterError) -> BegunUpdate<R> {
    if holdsWritersBack { try waitForDisks() }
    let operation = try begin(kind, key, UnsafeRawBufferPointer(start: nil, count: 0), nil)
    var begun = BegunUpdate(operation: operation, answer: Answer<R>())
    do throws(ClusterError) {
      if links.isFaulty {
        begun.pending = messages.exchange([operation.hash]) { [self, key = Array(key), answer = begun.answer] owners in
          do throws(ClusterError) {
            let pending = try key.withBytes { key throws(ClusterError) in
              try carryOut(operation, key, transform, answer) { owners[0].contains($0) }
            }
            return pending.map { .waits($0) } ?? .ended(.done)
          } catch {
            answer.state.withLock { $0.error = error }
            return switch error {
            case .indeterminate: .ended(.undecided)
            case .invalidArgument, .storage: .ended(.unmet)
            default: .tooFew
            }
          }
        }
      } else {
        begun.pending = try carryOut(operation, key, transform, begun.answer)
      }
    } catch {
      tap.end(begun.answer.state.withLock { $0.record }, DataPath.outcome(of: error))
      throw failed(operation, error)
    }
    return begun
  }

  private func carryOut<R: Sendable>(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer,
    _ transform: (Found) -> (Change, R), _ answer: Answer<R>, among owners: ((UInt16) -> Bool)? = nil
  ) throws(ClusterError) -> PendingOperation? {
    let (result, pending) = try direct.update(operation, key, among: owners) { [tap] found in
      let (change, result) = transform(found)
      if tap.watches(operation.hash) {
        let record = DataPath.record(change, of: key, found: found.value, in: tap)
        // A try before this one has changed nothing.
        let earlier = answer.state.withLock { state in
          defer { state.record = record }
          return state.record
        }
        tap.end(earlier, .failed)
      }
      return (change, result)
    }
    answer.state.withLock { state in
      state.result = result
      state.error = nil
    }
    return pending
  }

  /// To the live verdict it is a compare-and-set of what it found; where nothing is written, the get that it was.
  static func record(
    _ change: Change, of key: UnsafeRawBufferPointer, found value: UnsafeRawBufferPointer?, in tap: OperationTap
  ) -> Int? {
    let found = value.map { ObservedValue($0) } ?? .absent
    switch change {
    case .put(let new, _): return tap.begin(.update, key, new.withBytes { ObservedValue($0) }, base: found)
    case .delete: return tap.begin(.update, key, base: found)
    case .keep:
      let record = tap.begin(.get, key)
      if let record { tap.note(record, found: found) }
      return record
    }
  }

  private func finishUpdate<R>(
    _ operation: ClientOperation, _ answer: Answer<R>, _ outcome: ClientOperation.Outcome
  ) throws(ClusterError) -> R {
    let state = answer.state.withLock { $0 }
    switch outcome {
    case .done:
      guard let result = state.result else { preconditionFailure("an update that was carried out has told something") }
      tap.end(state.record, .done)
      end(operation)
      return result
    case .undecided:
      tap.end(state.record, .unknown)
      if let error = state.error { throw failed(operation, error) }
      let silence = direct.silence(ofOwnersOf: operation.hash)
      throw failed(
        operation,
        .undecidedWrite(
          "too few owners confirmed in time that it is on their disks\(silence.words)", advice: silence.advice))
    case .unmet:
      tap.end(state.record, .failed)
      throw failed(operation, state.error ?? .notServing("the cluster is closed"))
    case .found: preconditionFailure("an update tells by itself what it has found")
    }
  }
}
