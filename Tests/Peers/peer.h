// What the peers' drivers share: the benchmark's keys and random numbers, closed loops of threads, and the report, one
// line of JSON with the names that `kvstore bench --json` uses.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

constexpr int key_bytes = 16;
constexpr int value_bytes = 100;
// As in kvstore: operations that do not wait for a disk are timed one in sixteen, the clock being a part of their cost.
constexpr int sampling = 16;

inline uint64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// xorshift64* (Vigna 2016), kvstore's too.
struct Random {
  uint64_t state;
  uint64_t below(uint64_t bound) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return uint64_t((unsigned __int128)(state * 2685821657736338717ull) * bound >> 64);
  }
};

inline void write_key(char *key, uint64_t n) {
  for (int i = key_bytes - 1; i >= 0; i--, n /= 10) key[i] = char('0' + n % 10);
}

// Counts of nanoseconds in buckets of a 128th of a power of two: exact to a percent, whatever their number.
struct Latencies {
  std::vector<uint64_t> counts = std::vector<uint64_t>(58 * 128);
  uint64_t total = 0, max = 0;

  void record(uint64_t ns) {
    const int shift = ns < 128 ? 0 : 56 - __builtin_clzll(ns);
    counts[shift * 128 + (ns >> shift)]++;
    total++;
    if (ns > max) max = ns;
  }
  void add(const Latencies &other) {
    for (size_t i = 0; i < counts.size(); i++) counts[i] += other.counts[i];
    total += other.total;
    if (other.max > max) max = other.max;
  }
  uint64_t percentile(double percent) const {
    uint64_t left = uint64_t(percent / 100 * (total - 1)) + 1;
    for (size_t i = 0; i < counts.size(); i++) {
      if (counts[i] < left) {
        left -= counts[i];
        continue;
      }
      return i < 128 ? i : (i % 128 + 128) << (i / 128 - 1);
    }
    return max;
  }
};

// Calls `operation` of each thread until it has done its part of `operations`, or until `seconds` are over if not 0;
// times one in `every`. `make(thread)` returns the thread's operation, which takes a key and returns whether it worked.
struct Loop {
  uint64_t keys, operations;
  int threads;
  double seconds;
  int every;
  uint64_t seed;
};
struct Outcome {
  uint64_t operations = 0;
  double seconds = 0;
  Latencies latencies;
};
template <class Make> Outcome run(const Loop &loop, Make make) {
  std::vector<std::thread> workers;
  std::vector<Outcome> parts(loop.threads);
  const uint64_t start = now_ns();
  const uint64_t deadline = loop.seconds > 0 ? start + uint64_t(loop.seconds * 1e9) : UINT64_MAX;
  const uint64_t quota = loop.seconds > 0 ? UINT64_MAX : loop.operations / loop.threads;
  for (int t = 0; t < loop.threads; t++) {
    workers.emplace_back([&, t] {
      Random random{loop.seed + t * 7919};
      auto operation = make(t);
      char key[key_bytes];
      uint64_t done = 0;
      for (; done < quota; done++) {
        const uint64_t began = done % loop.every == 0 ? now_ns() : 0;
        if (began >= deadline) break;
        write_key(key, random.below(loop.keys));
        if (!operation(key)) {
          fprintf(stderr, "an operation failed\n");
          exit(3);
        }
        if (began) parts[t].latencies.record(now_ns() - began);
      }
      parts[t].operations = done;
    });
  }
  for (auto &worker : workers) worker.join();
  Outcome all;
  all.seconds = (now_ns() - start) / 1e9;
  for (auto &part : parts) all.operations += part.operations, all.latencies.add(part.latencies);
  return all;
}

inline void print_json(const Outcome &outcome) {
  printf("{\"operations\": %lu, \"elapsedNs\": %.0f, \"opsPerSecond\": %.0f, ", outcome.operations,
         outcome.seconds * 1e9, outcome.operations / outcome.seconds);
  printf("\"latencyNs\": {\"p50\": %lu, \"p95\": %lu, \"p99\": %lu, \"p99.9\": %lu, \"max\": %lu}}\n",
         outcome.latencies.percentile(50), outcome.latencies.percentile(95), outcome.latencies.percentile(99),
         outcome.latencies.percentile(99.9), outcome.latencies.max);
}
