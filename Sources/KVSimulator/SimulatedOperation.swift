import KVCluster

/// A client's operation under way: the engine's own state machine, and what it needs to speak to replicas by message.
struct SimulatedOperation {
  enum Machine {
    case write(WriteOperation, RecordKind, value: [UInt8])
    case read(ReadOperation)
  }

  let number: Int
  let client: Int
  let key: [UInt8]
  let call: History.Call
  /// Node numbers, by participant.
  let owners: [Int]
  let invokedAt: Int
  let deadline: Int
  var machine: Machine
  /// The newest version a read has heard of.
  var newest: (tag: Tag, kind: RecordKind, value: [UInt8]) = (.none, .tombstone, [])

  /// What to send now, or again, to those that have not answered.
  func requests() -> [(participant: Int, message: Message)] {
    switch machine {
    case .write(let operation, let kind, let value):
      return missing(operation.acknowledged).map { participant in
        (participant, .write(operation: number, kind: kind, key: key, value: value, tag: operation.tag))
      }
    case .read(let operation) where operation.phase == .asking:
      return missing(operation.answered).map { ($0, .read(operation: number, key: key)) }
    case .read(let operation):
      return missing(operation.holders).map { participant in
        let newest = self.newest
        return (
          participant,
          .write(operation: number, kind: newest.kind, key: key, value: newest.value, tag: newest.tag)
        )
      }
    }
  }

  private func missing(_ answered: ParticipantSet) -> [Int] {
    owners.indices.filter { !answered.contains($0) }
  }

  /// How the operation ended, if it has.
  var outcome: History.Outcome? {
    switch machine {
    case .write(let operation, _, _):
      switch operation.step {
      case .waiting: return nil
      case .done: return .done
      case .undecidable: return .unknown
      }
    case .read(let operation):
      switch operation.phase {
      case .asking, .writingBack: return nil
      case .finished: return .found(newest.kind == .value ? newest.value : nil)
      case .undecidable: return .unknown
      }
    }
  }

  /// Takes an answer; returns whether it changed what must be sent.
  mutating func take(_ message: Message, from participant: Int) -> Bool {
    switch (message, machine) {
    case (.written, .write(var operation, let kind, let value)):
      _ = operation.acknowledge(participant)
      machine = .write(operation, kind, value: value)
      return false
    case (.written, .read(var operation)):
      _ = operation.acknowledge(participant)
      machine = .read(operation)
      return false
    case (.version(_, let tag, let kind, let value), .read(var operation)):
      let wasAsking = operation.phase == .asking
      if wasAsking, tag > newest.tag { newest = (tag, kind, value) }
      let phase = operation.answer(participant, tag: tag)
      machine = .read(operation)
      return wasAsking && phase == .writingBack
    case (.version, .write), (.read, _), (.write, _):
      return false
    }
  }

  mutating func timeOut() {
    switch machine {
    case .write(var operation, let kind, let value):
      _ = operation.timeOut()
      machine = .write(operation, kind, value: value)
    case .read(var operation):
      _ = operation.timeOut()
      machine = .read(operation)
    }
  }
}
