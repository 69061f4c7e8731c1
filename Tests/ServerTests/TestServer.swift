import Foundation
import KVCluster
import RESP
import Testing

@testable import Server

/// A server on a cluster of its own, for one test.
struct TestServer {
  let cluster: Cluster
  let server: Server
  let folder: String

  var port: Int { server.addresses[0].port }
  var socket: String { "\(folder).sock" }
  func client() throws -> TestClient { try TestClient(port: port) }

  /// Starts a server, lets `body` use it, and ends both.
  static func run(
    fsync: FsyncPolicy = .always, isReady: Bool = true, _ adjust: (inout ServerOptions) -> Void = { _ in },
    _ body: (TestServer) async throws -> Void
  ) async throws {
    let folder = NSTemporaryDirectory() + "kvstore-server-\(UUID().uuidString.prefix(8))"
    var start = ClusterOptions(dataFolder: folder, isEphemeral: true, fsync: fsync, cacheBytes: 1 << 20)
    start.operationTimeoutNs = 1_000_000_000
    let cluster = try Cluster.open(start)
    var options = ServerOptions(
      addresses: [ServerOptions.Address(host: "127.0.0.1", port: 0)], sockets: ["\(folder).sock"], loops: 2)
    adjust(&options)
    if isReady { try await cluster.ready() }
    let server = try await Server.start(cluster, options) { line in
      RunAnswer(outcome: "success", lines: [.init(kind: "info", text: line)])
    }
    let made = TestServer(cluster: cluster, server: server, folder: folder)
    do {
      try await body(made)
    } catch {
      await server.stop()
      await cluster.close()
      throw error
    }
    await server.stop()
    await cluster.close()
  }
}

extension ReplyValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  /// A bulk.
  package init(stringLiteral text: String) { self = .bulk(Array(text.utf8)) }
  package init(integerLiteral value: Int) { self = .integer(value) }

  static let ok = ReplyValue.simple(Array("OK".utf8))
  static func error(_ text: String) -> ReplyValue { .error(Array(text.utf8)) }
  static func simple(_ text: String) -> ReplyValue { .simple(Array(text.utf8)) }
}
