import ArgumentParser
import Faces
import Server

/// `kvstore serve`: a cluster for programs that speak the Redis protocol.
struct Serve: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve programs that speak the Redis protocol.",
    discussion: """
      Listens on 127.0.0.1:6379 unless --listen says otherwise, and on the socket kvstore.sock in the data folder. Without a \
      password only this machine may connect; the password is taken from the first line of --password-file, or from the \
      environment's KVSTORE_PASSWORD. SIGTERM ends it in order, with status 0; a second one at once.
      """)

  @Option(
    help: ArgumentHelp("Address to listen on; may be given several times. none: only sockets.", valueName: "host:port"))
  var listen: [String] = []

  @Option(
    help: ArgumentHelp("Unix socket to listen on, beside that in the data folder.", valueName: "path"),
    completion: .file())
  var socket: [String] = []

  @Option(
    help: ArgumentHelp("File whose first line is the password that clients must say.", valueName: "path"),
    completion: .file())
  var passwordFile: String?

  @Option(help: ArgumentHelp("Clients at a time (default: 10000).", valueName: "n"))
  var maxClients: Int?

  @Option(help: ArgumentHelp("Close connections that say nothing for so long (default: never).", valueName: "seconds"))
  var idleTimeout: Int?

  @OptionGroup(title: "Cluster options")
  var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws {
    for word in listen where word != "none" && ServerOptions.Address(word) == nil {
      throw ValidationError("--listen is \(word); it can be host:port, [address]:port, a port, or none.")
    }
    if listen.contains("none"), listen.count > 1 { throw ValidationError("--listen none does not go with an address.") }
    if let maxClients, !(1...1_000_000).contains(maxClients) {
      throw ValidationError("--max-clients is \(maxClients); it can be 1 to 1000000.")
    }
    if let idleTimeout, !(0...31_536_000).contains(idleTimeout) {
      throw ValidationError("--idle-timeout is \(idleTimeout); it can be 0 to 31536000.")
    }
  }

  func run() async throws {
    let addresses = listen.isEmpty ? ["127.0.0.1:6379"] : listen.filter { $0 != "none" }
    var server = ServerOptions(
      addresses: addresses.compactMap { ServerOptions.Address($0) }, sockets: socket,
      password: try Password.read(file: passwordFile),
      loops: ProcessLimits.processors)
    server.idleSeconds = idleTimeout ?? 0
    if let maxClients { server.limits.clientsMax = maxClients }
    ProcessLimits.raiseFiles(to: server.limits.clientsMax)
    throw ExitCode(await ServeFace.run(try options.filled(from: parent.options).clusterOptions(), server))
  }
}
