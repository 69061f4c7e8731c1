import ClusterModel
import Glibc
import Synchronization

/// Server processes of this program, and a guardian that ends them and removes their folder when this program is gone,
/// however it went: a shell that reads from a pipe, which the system closes.
final class ServerProcesses: Sendable {
  private struct State {
    var processes: [Address: pid_t] = [:]
    var guardian: pid_t
    /// The end of the pipe that keeps the guardian waiting.
    var pipe: Int32
  }

  let folder: String
  private let program: String
  private let state: Mutex<State>

  /// The programs that can be servers, in the order in which they are looked for.
  static let programs = ["redis-server", "valkey-server"]

  /// The path of a server's program; `nil` if none is installed.
  static var program: String? {
    let folders =
      (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
    return programs.lazy.flatMap { name in folders.lazy.map { "\($0)/\(name)" } }.first { access($0, X_OK) == 0 }
  }

  /// - Parameter folder: exists, and is removed at the end.
  init(folder: String, program: String) throws(ClusterError) {
    (self.folder, self.program) = (folder, program)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Self.failure("make a pipe") }
    // A server that had the end that is written to would keep the guardian waiting.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let script = "while read -r line; do pids=$line; done; [ -n \"$pids\" ] && kill -9 $pids; rm -rf -- \"$0\""
    let spawned = Result { () throws(ClusterError) in
      try Self.spawn("/bin/sh", ["-c", script, folder], input: ends[0], output: nil)
    }
    Glibc.close(ends[0])
    do throws(ClusterError) {
      state = Mutex(State(guardian: try spawned.get(), pipe: ends[1]))
    } catch {
      Glibc.close(ends[1])
      throw error
    }
  }

  /// Starts a server with settings beside those that all have; its data is in a folder of its port.
  func start(_ address: Address, _ settings: [String]) throws(ClusterError) {
    let home = "\(folder)/\(address.port)"
    guard mkdir(home, 0o700) == 0 || errno == EEXIST else { throw Self.failure("make \(home)") }
    let fixed = ["--port", "\(address.port)", "--bind", address.host, "--dir", home, "--daemonize", "no", "--save", ""]
    let arguments = fixed + settings
    let process = try Self.spawn(program, arguments, input: nil, output: "\(home)/log")
    state.withLock { state in
      state.processes[address] = process
      tell(state)
    }
  }

  /// Ends a server at once, and returns when it has ended. Returns whether it ran.
  @discardableResult
  func kill(_ address: Address, _ signal: Int32 = SIGKILL) -> Bool {
    let process = state.withLock { state in
      defer { tell(state) }
      return state.processes.removeValue(forKey: address)
    }
    guard let process else { return false }
    Glibc.kill(process, signal)
    if signal == SIGKILL || signal == SIGTERM { waitpid(process, nil, 0) }
    return true
  }

  /// Sends a signal that does not end a server: `SIGSTOP`, `SIGCONT`.
  func signal(_ address: Address, _ signal: Int32) {
    if let process = state.withLock({ $0.processes[address] }) { Glibc.kill(process, signal) }
  }

  /// Whether a server runs that was started here.
  func runs(_ address: Address) -> Bool {
    state.withLock { state in state.processes[address].map { waitpid($0, nil, WNOHANG) == 0 } ?? false }
  }

  var addresses: [Address] { state.withLock { $0.processes.keys.sorted { $0.port < $1.port } } }

  /// Ends all servers and removes the folder; a second call changes nothing.
  func close() {
    for address in addresses { kill(address) }
    let (guardian, pipe) = state.withLock { state in
      defer { state.pipe = -1 }
      return (state.guardian, state.pipe)
    }
    guard pipe >= 0 else { return }
    Glibc.close(pipe)
    waitpid(guardian, nil, 0)
  }

  deinit { close() }

  /// Tells the guardian which processes there are.
  private func tell(_ state: borrowing State) {
    let line = state.processes.values.map { "\($0)" }.joined(separator: " ") + "\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(state.pipe, $0.baseAddress, $0.count) }
  }

  private static func failure(_ what: String) -> ClusterError {
    .refused(.init("cannot \(what): \(String(cString: strerror(errno)))"))
  }

  /// In a process group of its own, so that Ctrl-C at the terminal is ours alone.
  private static func spawn(
    _ path: String, _ arguments: [String], input: Int32?, output: String?
  ) throws(ClusterError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // This program ignores some signals; its children must not.
    var defaults = sigset_t()
    sigfillset(&defaults)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, path, &actions, &attributes, &words, environ)
    guard code == 0 else { throw .refused(.init("cannot start \(path): \(String(cString: strerror(code)))")) }
    return process
  }
}
