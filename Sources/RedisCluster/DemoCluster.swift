import ClusterModel
import Glibc
import RESP
import Synchronization

/// A Redis Cluster on this machine to try everything on: three masters and three replicas in a temporary folder. It ends
/// with this program.
package final class DemoCluster: ServerControl {
  /// Ports are looked for from here on. A server's cluster bus has the port 10,000 above.
  private static let portsFrom = 7_001
  private static let busOffset = 10_000

  let processes: ServerProcesses
  /// Any of them; where a watcher connects first.
  package let seed: Address
  /// Says to others of this user that the folder is in use.
  private let lock: Mutex<Int32>

  /// Short, so that a failover is a matter of seconds; data on the disk within a second.
  private static let settings = [
    "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000",
    "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-min-size", "64mb",
  ]

  private init(_ processes: ServerProcesses, seed: Address, lock: Int32) {
    (self.processes, self.seed) = (processes, seed)
    self.lock = Mutex(lock)
  }

  /// Starts the servers and makes a cluster of them; returns when each of them serves.
  /// - Parameters:
  ///   - folder: an empty one, which is removed at the end.
  ///   - slotCounts: slots of each master; each has a replica.
  /// - Throws: what to install, if there is no server's program.
  package static func start(folder: String, slotCounts: [Int] = [5_461, 5_462, 5_461]) async throws(ClusterError)
    -> DemoCluster
  {
    guard let program = ServerProcesses.program else {
      rmdir(folder)
      throw .refused(
        """
        no redis-server is installed, which is what the demo runs: apt install redis-server on Debian and Ubuntu, \
        dnf install redis or valkey on Fedora, brew install redis on macOS; an installed service need not run
        """)
    }
    let lock = open("\(folder)/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    if lock >= 0 { flock(lock, LOCK_EX | LOCK_NB) }
    let processes = try ServerProcesses(folder: folder, program: program)
    let addresses = try freeAddresses(2 * slotCounts.count)
    let demo = DemoCluster(processes, seed: addresses[0], lock: lock)
    do throws(ClusterError) {
      for address in addresses { try processes.start(address, settings) }
      try await ClusterCreation(
        masters: Array(addresses.prefix(slotCounts.count)), replicas: Array(addresses.dropFirst(slotCounts.count)),
        slotCounts: slotCounts
      ).run()
      return demo
    } catch {
      demo.close()
      throw error
    }
  }

  /// Starts one more server, which is no member of the cluster yet.
  func startAnother() async throws(ClusterError) -> Address {
    let address = try Self.freeAddresses(1)[0]
    try await startIfNeeded(address)
    return address
  }

  /// Ends all servers and removes the folder.
  package func close() {
    processes.close()
    // A second close would be of whatever has the number by then.
    let lock = self.lock.withLock { lock in
      defer { lock = -1 }
      return lock
    }
    if lock >= 0 { Glibc.close(lock) }
  }

  package func kill(_ address: Address) throws(ClusterError) {
    guard processes.kill(address) else {
      throw .refused(.init("\(address) does not run", nodes: ["\(address)"], advice: .restart("\(address)")))
    }
  }

  package func restart(_ address: Address) async throws(ClusterError) {
    guard !processes.runs(address) else { throw .refused(.init("\(address) runs already", nodes: ["\(address)"])) }
    try processes.start(address, Self.settings)
    try await ClusterCreation.untilAnswering([address])
  }

  package func startIfNeeded(_ address: Address) async throws(ClusterError) {
    guard address.port + Self.busOffset < 65_536 else {
      throw .refused(
        .init("\(address): a server of a cluster listens on a port 10,000 higher as well; choose one below 55,536"))
    }
    guard address.host == "127.0.0.1", Self.isFree(address.port), Self.isFree(address.port + Self.busOffset) else {
      return
    }
    try processes.start(address, Self.settings)
    try await ClusterCreation.untilAnswering([address])
  }

  /// Ports of which nobody listens on one, nor on that of its cluster bus.
  private static func freeAddresses(_ count: Int) throws(ClusterError) -> [Address] {
    var found: [Address] = []
    for port in portsFrom..<(65_536 - busOffset) where isFree(port) && isFree(port + busOffset) {
      found.append(Address("127.0.0.1", port))
      if found.count == count { return found }
    }
    throw .refused("no ports are free on 127.0.0.1")
  }

  private static func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = in_port_t(port).bigEndian
    name.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
