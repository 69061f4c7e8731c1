/// What whoever drives a piece of background work does next. Work is cut into steps that never wait, so that a thread
/// drives it in the running program and a queue of events does in a simulation, with whatever else happens in between.
package enum Pace: Equatable, Sendable {
  /// There is more to do at once.
  case again
  /// There is nothing to do for so long.
  case rest(ns: UInt64)
  case done
}
