import ClusterModel
import RESP
import Testing

@testable import RedisCluster

@Suite struct InfoTextTests {
  private let info = InfoText(
    """
    # Server\r
    redis_version:7.0.15\r
    run_id:95fec546\r
    \r
    # Persistence\r
    aof_enabled:1\r
    aof_current_size:4711\r
    # Replication
    role:master
    connected_slaves:2
    slave0:ip=127.0.0.1,port=7105,state=online,offset=98,lag=1
    slave1:ip=::1,port=7106,state=wait_bgsave,offset=0,lag=0
    master_repl_offset:100
    # Commandstats
    cmdstat_get:calls=12,usec=80,usec_per_call=6.67,rejected_calls=1,failed_calls=0
    cmdstat_config|get:calls=3,usec=80,usec_per_call=6.67,rejected_calls=1,failed_calls=0
    cmdstat_odd:nothing
    # Keyspace
    db0:keys=7,expires=1,avg_ttl=0
    """)

  @Test("Fields, replicas, calls of commands and keys are read")
  func reads() {
    #expect(
      info.text("run_id") == "95fec546" && info.flag("aof_enabled") == true && info.bytes("aof_current_size") == 4_711)
    #expect(info.calls == ["get": 12, "config|get": 3])
    #expect(info.keys == 7)
    #expect(
      info.replicas == [
        .init(address: Address("127.0.0.1", 7_105), offset: 98, lagSeconds: 1),
        .init(address: Address("::1", 7_106), offset: 0, lagSeconds: 0),
      ])
  }

  @Test("What is not told is unknown, and a database without keys has none")
  func unknown() {
    #expect(info.count("maxmemory") == nil && info.flag("loading") == nil && info.text("nothing") == nil)
    #expect(InfoText("role:master").keys == 0 && InfoText("").keys == nil)
    #expect(InfoText("connected_slaves:1\nslave0:ip=a,port=b").replicas.isEmpty)
    #expect(
      InfoText("connected_slaves:-1").replicas.isEmpty && InfoText("connected_slaves:\(Int.max)").replicas.isEmpty)
  }
}

@Suite struct OperationTallyTests {
  private static func command(_ name: String, _ flag: String, firstKey: Int) -> ReplyValue {
    .array([.bulk(Array(name.utf8)), .integer(2), .array([.simple(Array(flag.utf8))]), .integer(firstKey)])
  }

  static let table = ReplyValue.array([
    command("get", "readonly", firstKey: 1), command("set", "write", firstKey: 1),
    command("dbsize", "readonly", firstKey: 0),
    command("migrate", "write", firstKey: 3), command("info", "loading", firstKey: 0),
  ])

  @Test("Reads and writes of keys are told apart by the server's table; moves, lists and the rest are neither")
  func classes() throws {
    let classes = try #require(CommandClasses(Self.table))
    #expect(classes.reads == ["get"] && classes.writes == ["set"])
    let counted = classes.count(["get": 5, "set": 3, "migrate": 9, "info": 100])
    #expect(counted == (5, 3))
    #expect(CommandClasses(.error(Array("NOPERM no".utf8))) == nil)
  }

  private func counts(_ run: String, _ reads: UInt64, _ writes: UInt64) -> OperationTally.Counts {
    OperationTally.Counts(runID: run, reads: reads, writes: writes)
  }

  private static let second: UInt64 = 1_000_000_000

  @Test("Operations count from the first look on, and a restart, a reset and a change of role lose and double none")
  func tally() {
    var tally = OperationTally()
    var now: UInt64 = 0
    func take(_ counts: OperationTally.Counts, _ id: String, isMaster: Bool) {
      now += Self.second
      tally.take(counts, of: id, isMaster: isMaster, at: now)
    }
    var total: OperationCounters { tally.total(at: now + 10 * Self.second) }
    take(counts("r1", 100, 50), "a", isMaster: true)
    take(counts("r9", 0, 50), "b", isMaster: false)
    #expect(total == OperationCounters.zero)
    take(counts("r1", 110, 55), "a", isMaster: true)
    take(counts("r9", 2, 55), "b", isMaster: false)
    #expect(total == OperationCounters(reads: 12, writes: 5))
    #expect(tally.operations(of: "b", at: now + 10 * Self.second) == OperationCounters(reads: 2, writes: 5))
    take(counts("r2", 3, 1), "a", isMaster: true)
    take(counts("r9", 1, 0), "b", isMaster: true)
    #expect(total == OperationCounters(reads: 16, writes: 6))
    take(counts("r9", 1, 10), "b", isMaster: true)
    #expect(total == OperationCounters(reads: 16, writes: 16))
    tally.forget("b")
    #expect(tally.operations(of: "b", at: now) == nil && total.writes == 16 && tally.latencies(at: now) == nil)
  }

  @Test("What a server tells once a second is shown as if it had come evenly, and never less than before")
  func ramps() {
    var tally = OperationTally()
    tally.take(counts("r1", 0, 0), of: "a", isMaster: true, at: 0)
    tally.take(counts("r1", 1_000, 0), of: "a", isMaster: true, at: Self.second)
    let half = Self.second / 2
    #expect(tally.total(at: Self.second).reads == 0)
    #expect(tally.total(at: Self.second + half).reads == 500)
    tally.take(counts("r1", 2_000, 0), of: "a", isMaster: true, at: Self.second + half)
    #expect(tally.total(at: Self.second + half).reads == 500)
    #expect(tally.total(at: 2 * Self.second).reads == 2_000)
  }

  private func histogram(_ bounds: [Int]) throws -> LatencyHistogram {
    let parts: [ReplyValue] = [
      .bulk(Array("calls".utf8)), .integer(bounds.last ?? 0), .bulk(Array("histogram_usec".utf8)),
      .array(bounds.map { .integer($0) }),
    ]
    let reply = ReplyValue.array([
      .bulk(Array("get".utf8)), .array(parts), .bulk(Array("info".utf8)), .array(parts),
    ])
    let classes = try #require(CommandClasses(Self.table))
    return try #require(LatencyHistogram(reply, classes))
  }

  @Test("Times are the difference of two histograms, whose counts are cumulative")
  func latencies() throws {
    #expect(try histogram([1, 4, 8, 10]).reads == [1: 4, 8: 6])
    var tally = OperationTally()
    var first = counts("r1", 10, 0)
    first.latencies = try histogram([1, 4, 8, 10])
    tally.take(first, of: "a", isMaster: true, at: 1)
    #expect(tally.latencies(at: 9)?.reads.count == 0)
    var second = counts("r1", 14, 0)
    second.latencies = try histogram([1, 5, 8, 11, 16, 14])
    tally.take(second, of: "a", isMaster: true, at: 2)
    #expect(tally.latencies(at: 9)?.reads.count == 4)
    let median = try #require(tally.latencies(at: 9)?.reads.percentileNs(0.99))
    #expect((16_000...18_432).contains(median))
  }
}
