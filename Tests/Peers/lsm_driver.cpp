// LevelDB, or with -DROCKSDB RocksDB, on the benchmark's work: 16-byte decimal keys, 100-byte values, uniformly random.
// usage: lsm_driver fill|overwrite|read|synced|open FOLDER KEYS THREADS [SECONDS]      prints JSON, see peer.h
// One copy of the data, 64 MiB write buffer, 1 GiB block cache, Bloom filters, no compression: the best case in memory.
//   fill       puts into an empty store, not synced        overwrite  the same, every key there; each put is timed
//   read       gets after as many untimed gets             synced     puts into an empty store, each synced
//   open       opens a store that holds every key, the last ones (64 MiB at most) in its log
#ifdef ROCKSDB
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
namespace lsm = rocksdb;
#else
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
namespace lsm = leveldb;
#endif

#include "peer.h"

using lsm::Slice;

static lsm::DB *open_store(const std::string &folder) {
  lsm::Options options;
  options.create_if_missing = true;
  options.compression = lsm::kNoCompression;
  options.write_buffer_size = 64 << 20;
#ifdef ROCKSDB
  options.IncreaseParallelism(2);
  lsm::BlockBasedTableOptions table;
  table.block_cache = lsm::NewLRUCache(1 << 30);
  table.filter_policy.reset(lsm::NewBloomFilterPolicy(10));
  options.table_factory.reset(lsm::NewBlockBasedTableFactory(table));
#else
  static lsm::Cache *cache = lsm::NewLRUCache(1 << 30);
  static const lsm::FilterPolicy *filter = lsm::NewBloomFilterPolicy(10);
  options.block_cache = cache;
  options.filter_policy = filter;
#endif
  lsm::DB *db;
  const auto status = lsm::DB::Open(options, folder, &db);
  if (status.ok()) return db;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const std::string workload = argv[1], folder = argv[2];
  const uint64_t keys = strtoull(argv[3], nullptr, 10);
  Loop loop{keys, keys, atoi(argv[4]), argc > 5 ? atof(argv[5]) : 0, sampling, 42};
  lsm::DB *db = open_store(folder);
  const std::string value(value_bytes, 'x');
  lsm::WriteOptions writing;
  const auto puts = [&](int) {
    return [&](const char *key) { return db->Put(writing, Slice(key, key_bytes), value).ok(); };
  };
  const auto gets = [&](int) {
    return [&, out = std::string()](const char *key) mutable {
      return db->Get(lsm::ReadOptions(), Slice(key, key_bytes), &out).ok();
    };
  };
  char key[key_bytes];
  for (uint64_t n = 0; n < keys && workload != "fill" && workload != "synced"; n++) {
    write_key(key, n);
    if (!puts(0)(key)) return 1;
  }
  if (workload == "read") {
    run({keys, keys < 1000000 ? keys : 1000000, loop.threads, 0, sampling, 104771}, gets);
    print_json(run(loop, gets));
  } else if (workload == "open") {
    // Once only: opening moves what is in the log into tables, so a second time has nothing left to do.
    delete db;
    const uint64_t start = now_ns();
    db = open_store(folder);
    Outcome outcome;
    outcome.operations = 1;
    outcome.seconds = (now_ns() - start) / 1e9;
    outcome.latencies.record(uint64_t(outcome.seconds * 1e9));
    print_json(outcome);
  } else {
    writing.sync = workload == "synced";
    if (workload != "fill") loop.every = 1;
    print_json(run(loop, puts));
  }
  delete db;
}
