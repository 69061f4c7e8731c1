import KVCluster

/// Who watches a simulated day. All of it is called on the simulation's thread.
struct DayObserver {
  /// Called before each step and after the last; false ends the day there, without a verdict.
  var onStep: (() -> Bool)?
  /// Hears of every message that is sent, and when it will arrive: twice if it is doubled, `nil` if it is lost.
  var onMessage: ((Message, _ arrivesNs: UInt64?) -> Void)?
  /// Hears of what a viewer may want to jump to.
  var onMark: ((PastKinds.Mark, _ text: String) -> Void)?
  /// Hears of each operation that has ended, by its number.
  var onAnswer: ((Int) -> Void)?
}

/// A moment of a simulated day that a viewer may want to jump to.
package struct DayMark: Sendable, Equatable {
  package var kind: PastKinds.Mark
  /// How many steps had been done before.
  package var step: Int
  /// In virtual time.
  package var atNs: UInt64
  package var text: String
}

/// What a client of a simulated day asked, and was told.
package struct DayCall: Sendable, Equatable {
  package enum Kind: Sendable, Equatable { case read, write }

  package var client: Int
  package var kind: Kind
  /// `get key3`
  package var asked: String
  /// `get key3 → v17`, or without its answer.
  package var text: String
  package var fromNs: UInt64
  /// When it ended; `nil` if it never did.
  package var toNs: UInt64?
  package var ending: PastKinds.Ending
  /// The step in which it was answered; `nil` if it was not.
  package var answerStep: Int?
  /// Whether it belongs to the operations that no order explains.
  package var isOffending: Bool
}

/// A message on its way between two nodes.
package struct DayFlight: Sendable, Equatable {
  /// Ids of the nodes, as the status has them.
  package var from: Int
  package var to: Int
  package var kind: PastKinds.Flight
  package var sentNs: UInt64
  /// `nil`: it is lost.
  package var arrivesNs: UInt64?

  init(_ message: Message, arrivesNs: UInt64?) {
    (from, to, sentNs) = (Int(message.from), Int(message.to), Clock.nowNs())
    self.arrivesNs = arrivesNs
    switch message.body {
    case .read: kind = .read
    case .hint: kind = .hint
    default: kind = message.isRequest ? .write : .answer
    }
  }
}
