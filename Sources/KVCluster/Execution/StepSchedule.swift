/// The next step of a background job. Jobs are cut into steps that never wait: a thread drives them in the running program,
/// and a queue of events does in a simulation, with anything else in between.
package enum StepSchedule: Equatable, Sendable {
  /// There is more to do at once.
  case again
  /// There is nothing to do for this long.
  case rest(ns: UInt64)
  case done

  /// Drives a job on the calling thread, which sleeps while the job rests. Returns false if it was cancelled.
  static func drive(_ step: () -> StepSchedule, isCancelled: () -> Bool = { false }) -> Bool {
    while !isCancelled() {
      switch step() {
      case .again: break
      case .rest(let ns): Clock.sleep(ns: ns)
      case .done: return true
      }
    }
    return false
  }
}
