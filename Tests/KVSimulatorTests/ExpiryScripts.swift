import KVCluster
import Testing

@testable import KVSimulator

/// The shortest days that show what may go wrong with values that end.
enum ExpiryScripts {
  static func run(_ mistake: PlantedMistake, _ script: Script) throws {
    switch mistake {
    case .forgetsTime: try forgetsTime(script)
    case .expiresAnything: try expiresAnything(script)
    default: preconditionFailure("\(mistake) has to do with no time")
    }
  }

  /// A value ends and is seen to be gone; the program dies, and the machine's clock is set back before it starts again.
  private static func forgetsTime(_ script: Script) throws {
    try script.put("value", endingAfterMs: 1_000)
    #expect(try script.get() == .some("value"))
    script.run(ms: 1_000)
    #expect(try script.get() == .some(nil))
    try script.restartProgram { script.turnClock(ms: -3_600_000) }
    try script.get()
  }

  /// A node that missed a write has an older value, which has ended.
  private static func expiresAnything(_ script: Script) throws {
    try script.put("old", endingAfterMs: 50)
    script.crash("node1")
    script.run(ms: 100)
    try script.put("new", via: "node2")
    try script.start("node1")
    script.cluster.expire(at: "node1")
    script.run(ms: 20)
    try script.get()
  }
}
