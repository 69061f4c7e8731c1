/// What all disks of a machine have in common: the program that calls them, which may end within any call.
///
/// One thread uses it, as everything in a simulation.
final class SimulatedPower: @unchecked Sendable {
  /// Calls that changed a disk so far.
  private(set) var steps = 0
  private var planned: (step: Int, moment: DiskFaults.Moment)?
  private(set) var isStopped = false
  /// Called when a segment is on the disk, before its program hears of it: what others do in that moment.
  var onSynced: (() -> Void)?

  func stop(atStep steps: Int, _ moment: DiskFaults.Moment) {
    precondition(steps > 0)
    planned = (self.steps + steps, moment)
  }

  /// What was planned and has not come does not come.
  func keepRunning() { planned = nil }

  func restart() {
    planned = nil
    isStopped = false
  }

  /// Counts a moment of a step; returns whether it was the last.
  func ends(at moment: DiskFaults.Moment) -> Bool {
    if moment == .before { steps += 1 }
    guard let planned, planned.step == steps, planned.moment == moment else { return false }
    isStopped = true
    return true
  }
}
