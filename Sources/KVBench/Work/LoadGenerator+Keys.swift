import KVCluster

extension LoadGenerator {
  /// As many tasks as make group commit worth while.
  private static var loaders: Int { 64 }

  /// Puts every key once, in order.
  /// - Throws: the first error.
  func load() async throws {
    await each(0..<plan.keys) { [self] key throws(ClusterError) in
      try await target.put(key.name, key.value, WriteOptions())
    }
    if let failure { throw failure }
  }

  /// Deletes all keys that the run made, inserts included.
  /// - Returns: whether all are gone.
  func clear() async -> Bool {
    let failures = tally.counts.failures
    await each(0..<Int(inserts.end), stopsEarly: false) { [self] key throws(ClusterError) in
      _ = try await target.delete(key.name, WriteOptions())
    }
    return tally.counts.failures == failures
  }

  /// Operations of ``load()`` and ``clear()`` are counted as writes, for whoever shows how far it is.
  private func each(
    _ numbers: Range<Int>, stopsEarly: Bool = true,
    _ body: @escaping @Sendable ((name: [UInt8], value: [UInt8])) async throws(ClusterError) -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<Self.loaders {
        group.addTask { [self] in
          var sizer = ValueSizer(plan.valueSizes)
          var random = BenchmarkRandom(seed: plan.seed &+ UInt64(index) &* 7_919)
          let value = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueSizes.most)
          for number in stride(from: numbers.lowerBound + index, to: numbers.upperBound, by: Self.loaders) {
            if stopsEarly, isStopping { return }
            let byteCount = sizer.next(&random)
            let sized = byteCount == value.count ? value : Array(value[..<byteCount])
            do throws(ClusterError) {
              try await body((plan.names.key(UInt64(number)), sized))
              tally.add(OperationCounts(writes: 1))
            } catch {
              tally.add(OperationCounts(failures: 1))
              if !goesOn(after: error), stopsEarly { return }
            }
            // A put that has no disk to wait for does not suspend: let others have the thread now and then.
            if number / Self.loaders % 16 == 0 { await Task.yield() }
          }
        }
      }
    }
  }
}
