import ClusterModel
import Glibc
import KVCluster

/// What `INFO` tells: sections of `name:value` lines. Fields have the names that Redis gives them where they mean the same;
/// a figure that is not known is left out.
struct Info {
  /// The version of Redis whose answers these are alike, for clients that look at it.
  static let redisVersion = "7.0.15"
  static let version = "0.1.0"

  private let core: ServerCore
  private let counters: ServerCounters

  init(_ core: ServerCore) {
    self.core = core
    counters = core.counters
  }

  private static let sections = [
    "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "errorstats", "cluster", "keyspace",
  ]
  /// In what is asked for by `all`, and else by name only.
  private static let more = ["commandstats"]

  /// - Parameter asked: names of sections; none for the usual ones.
  func text(_ asked: [[UInt8]]) -> String {
    let names = asked.map { String(decoding: $0, as: UTF8.self).lowercased() }
    let hasAll = names.contains { $0 == "all" || $0 == "everything" }
    let hasUsual = names.isEmpty || hasAll || names.contains("default")
    let chosen =
      (Self.sections.filter { hasUsual || names.contains($0) })
      + Self.more.filter { hasAll || names.contains($0) }
    return chosen.map { section in
      let title = section.prefix(1).uppercased() + section.dropFirst()
      return (["# \(title)"] + lines(section)).map { $0 + "\r\n" }.joined()
    }.joined(separator: "\r\n")
  }

  private func lines(_ section: String) -> [String] {
    switch section {
    case "server": server
    case "clients": clients
    case "memory": memory
    case "persistence": persistence
    case "stats": stats
    case "replication": ["role:master", "connected_slaves:0", "master_replid:\(core.runID)", "master_repl_offset:0"]
    case "cpu": cpu
    case "errorstats": counters.errors.sorted { $0.key < $1.key }.map { "errorstat_\($0.key):count=\($0.value)" }
    case "cluster": ["cluster_enabled:0"]
    case "keyspace": keyspace
    default: commandStats
    }
  }

  private var server: [String] {
    var system = utsname()
    uname(&system)
    func field<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    let uptime = Int((ServerClock.nowNs() - core.startedNs) / 1_000_000_000)
    return [
      "redis_version:\(Self.redisVersion)", "kvstore_version:\(Self.version)", "server_name:kvstore",
      "redis_mode:standalone", "os:\(field(system.sysname)) \(field(system.release)) \(field(system.machine))",
      "arch_bits:\(Int.bitWidth)", "process_id:\(getpid())", "run_id:\(core.runID)",
      "tcp_port:\(core.addresses.first?.port ?? 0)", "server_time_usec:\(ServerClock.wallUs())",
      "uptime_in_seconds:\(uptime)", "uptime_in_days:\(uptime / 86_400)",
    ]
  }

  private var clients: [String] {
    [
      "connected_clients:\(core.clients.count)", "maxclients:\(core.clientsMax)", "blocked_clients:0",
      "tracking_clients:0",
    ]
  }

  private var memory: [String] {
    let memory = ProcessMemory()
    var lines: [String] = []
    if let resident = memory.residentBytes {
      lines += ["used_memory:\(resident)", "used_memory_rss:\(resident)"]
    }
    if let peak = memory.peakBytes { lines.append("used_memory_peak:\(peak)") }
    return lines + ["maxmemory:0", "maxmemory_policy:noeviction"]
  }

  private var persistence: [String] {
    let status = core.cluster.status()
    let isLoading = if case .recovering = status.phase { 1 } else { 0 }
    let bytes = status.nodes.reduce(0) { $0 + ($1.wal?.bytes ?? 0) }
    return [
      "loading:\(isLoading)", "rdb_bgsave_in_progress:0", "aof_enabled:1", "aof_rewrite_in_progress:0",
      "aof_current_size:\(bytes)",
    ]
  }

  private var stats: [String] {
    [
      "total_connections_received:\(counters.connections)", "total_commands_processed:\(counters.commands)",
      "instantaneous_ops_per_sec:\(core.rate.perSecond)", "total_net_input_bytes:\(counters.bytesIn)",
      "total_net_output_bytes:\(counters.bytesOut)", "rejected_connections:\(counters.rejected)",
      "expired_keys:\(core.cluster.status().expiry?.deleted ?? 0)",
      "evicted_keys:0", "keyspace_hits:\(counters.hits)", "keyspace_misses:\(counters.misses)",
      "total_error_replies:\(counters.errors.values.reduce(0, +))",
    ]
  }

  private var cpu: [String] {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> String {
      let digits = String(time.tv_usec)
      return "\(time.tv_sec).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
    }
    return ["used_cpu_sys:\(seconds(usage.ru_stime))", "used_cpu_user:\(seconds(usage.ru_utime))"]
  }

  private var keyspace: [String] {
    let status = core.cluster.status()
    guard let keys = status.keys, keys > 0 else { return [] }
    return ["db0:keys=\(keys),expires=\(status.expiry?.keys ?? 0),avg_ttl=0"]
  }

  private var commandStats: [String] {
    CommandID.allCases.compactMap { id in
      let counts = counters.calls[id.rawValue]
      guard counts.calls + counts.rejected > 0 else { return nil }
      return "cmdstat_\(CommandTable.entries[id.rawValue].name):calls=\(counts.calls),"
        + "rejected_calls=\(counts.rejected),failed_calls=\(counts.failed)"
    }
  }
}

/// Memory of this process, as the system counts it.
private struct ProcessMemory {
  var residentBytes: Int?
  var peakBytes: Int?

  init() {
    guard let file = fopen("/proc/self/status", "re") else { return }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      let words = text.split { $0 == ":" || $0 == " " || $0 == "\t" || $0 == "\n" }
      guard words.count >= 2, let kib = Int(words[1]) else { continue }
      if words[0] == "VmRSS" { residentBytes = kib << 10 }
      if words[0] == "VmHWM" { peakBytes = kib << 10 }
    }
  }
}
