import KVCluster

/// The settings as `CONFIG GET` names them: those of Redis that have a meaning here, with their true values.
struct Parameters {
  let all: [(name: String, value: String)]

  init(_ core: ServerCore) {
    let status = core.cluster.status()
    let fsync =
      switch status.fsync {
      case .always: "always"
      case .everysec: "everysec"
      case .never, nil: "no"
      }
    all = [
      ("appendfsync", fsync), ("appendonly", "yes"), ("bind", core.addresses.map(\.host).joined(separator: " ")),
      ("databases", "1"), ("latency-monitor-threshold", "0"), ("slowlog-log-slower-than", "-1"),
      ("dir", status.dataFolder ?? ""), ("maxclients", String(core.clientsMax)), ("maxmemory", "0"),
      ("maxmemory-policy", "noeviction"), ("port", String(core.addresses.first?.port ?? 0)),
      ("proto-max-bulk-len", String(core.options.limits.requests.argumentBytesMax)), ("save", ""),
      ("timeout", String(core.idleSeconds.load(ordering: .relaxed))),
      ("unixsocket", core.options.sockets.first ?? ""),
    ]
  }
}
