import Glibc
import Synchronization

/// One connection as others see it.
final class Client: Sendable {
  struct State: Sendable {
    var name: [UInt8] = []
    var library: [UInt8] = []
    var libraryVersion: [UInt8] = []
    var isAuthenticated = false
    var version = 2
    var lastCommand: CommandID?
    var lastNs: UInt64
    var commands = 0
    var pendingInput = 0
    var pendingOutput = 0
  }

  let id: Int
  let address: String
  let localAddress: String
  let isSocket: Bool
  let startedNs: UInt64
  let state: Mutex<State>
  /// Closes the connection; may be called on any thread.
  let kill: @Sendable () -> Void

  init(
    id: Int, address: String, localAddress: String, isSocket: Bool, nowNs: UInt64, kill: @escaping @Sendable () -> Void
  ) {
    (self.id, self.address, self.localAddress, self.isSocket) = (id, address, localAddress, isSocket)
    startedNs = nowNs
    state = Mutex(State(lastNs: nowNs))
    self.kill = kill
  }

  /// The line of `CLIENT LIST`. Fields that would say nothing here (events, file numbers, buffers we do not have) are left
  /// out; clients read the line by names.
  func line(nowNs: UInt64) -> String {
    let state = state.withLock { $0 }
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let command = state.lastCommand.map { CommandTable.entries[$0.rawValue].name } ?? "NULL"
    return "id=\(id) addr=\(address) laddr=\(localAddress) name=\(text(state.name)) "
      + "age=\((nowNs - startedNs) / 1_000_000_000) idle=\((nowNs - min(nowNs, state.lastNs)) / 1_000_000_000) "
      + "flags=\(isSocket ? "U" : "N") db=0 sub=0 psub=0 multi=-1 qbuf=\(state.pendingInput) "
      + "omem=\(state.pendingOutput) cmd=\(command) user=default resp=\(state.version) "
      + "lib-name=\(text(state.library)) lib-ver=\(text(state.libraryVersion)) tot-cmds=\(state.commands)"
  }
}

/// The connections there are.
final class Clients: Sendable {
  private struct State {
    var byID: [Int: Client] = [:]
    var nextID = 1
  }

  private let state = Mutex(State())
  /// Connections, those included that are not registered yet.
  private let open = Atomic<Int>(0)

  var count: Int { state.withLock { $0.byID.count } }
  var all: [Client] { state.withLock { $0.byID.values.sorted { $0.id < $1.id } } }

  /// Takes a place for one more connection; false if there are `max` already.
  func enter(max: Int) -> Bool {
    if open.wrappingAdd(1, ordering: .relaxed).newValue <= max { return true }
    open.wrappingSubtract(1, ordering: .relaxed)
    return false
  }

  func leave() { open.wrappingSubtract(1, ordering: .relaxed) }

  func nextID() -> Int {
    state.withLock { state in
      defer { state.nextID += 1 }
      return state.nextID
    }
  }

  func add(_ client: Client) { state.withLock { $0.byID[client.id] = client } }
  func remove(_ id: Int) { state.withLock { _ = $0.byID.removeValue(forKey: id) } }
}
