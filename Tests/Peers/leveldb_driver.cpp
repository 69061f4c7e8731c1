// LevelDB on the benchmark's work: 16-byte decimal keys, 100-byte values, uniformly random.
// usage: leveldb_driver fill|read FOLDER KEYS THREADS      prints "ops/s p50ns p99ns"
// One copy of the data, unsynced writes, 64 MiB write buffer, 1 GiB block cache, Bloom filters: its best case in memory.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

static uint64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void write_key(char *key, uint64_t n) {
  for (int i = 15; i >= 0; i--, n /= 10) key[i] = char('0' + n % 10);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  const bool reads = std::string(argv[1]) == "read";
  const uint64_t keys = strtoull(argv[3], nullptr, 10);
  const int threads = atoi(argv[4]);
  leveldb::Options options;
  options.create_if_missing = true;
  options.compression = leveldb::kNoCompression;
  options.write_buffer_size = 64 << 20;
  options.block_cache = leveldb::NewLRUCache(1 << 30);
  options.filter_policy = leveldb::NewBloomFilterPolicy(10);
  leveldb::DB *db;
  if (!leveldb::DB::Open(options, argv[2], &db).ok()) return 1;
  const std::string value(100, 'x');
  char key[16];
  for (uint64_t n = 0; reads && n < keys; n++) {
    write_key(key, n);
    if (!db->Put(leveldb::WriteOptions(), leveldb::Slice(key, 16), value).ok()) return 1;
  }
  std::vector<std::thread> workers;
  std::vector<std::vector<uint32_t>> latencies(threads);
  const uint64_t start = now_ns();
  for (int t = 0; t < threads; t++) {
    workers.emplace_back([&, t] {
      uint64_t state = 88172645463325252ull + t * 7919;
      char key[16];
      std::string out;
      for (uint64_t i = 0; i < keys / threads; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        write_key(key, state % keys);
        const uint64_t began = i % 16 == 0 ? now_ns() : 0;
        const bool ok = reads ? db->Get(leveldb::ReadOptions(), leveldb::Slice(key, 16), &out).ok()
                              : db->Put(leveldb::WriteOptions(), leveldb::Slice(key, 16), value).ok();
        if (!ok) exit(3);
        if (began) latencies[t].push_back(uint32_t(now_ns() - began));
      }
    });
  }
  for (auto &worker : workers) worker.join();
  const double seconds = (now_ns() - start) / 1e9;
  std::vector<uint32_t> all;
  for (auto &part : latencies) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  printf("%.0f %u %u\n", keys / threads * threads / seconds, all[all.size() / 2], all[all.size() * 99 / 100]);
  delete db;
}
