// RocksDB on the benchmark's work: 16-byte decimal keys, 100-byte values, uniformly random.
// usage: rocksdb_driver fill|overwrite|read|synced FOLDER KEYS THREADS [SECONDS]      prints JSON, see peer.h
// One copy of the data, as leveldb_driver's: 64 MiB write buffer, 1 GiB block cache, Bloom filters, no compression; two
// background threads. The workloads are
// leveldb_driver's too; puts are timed one in sixteen, as kvstore's are, unless they are synced.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "peer.h"

using rocksdb::Slice;

static rocksdb::DB *open_store(const std::string &folder) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 64 << 20;
  options.IncreaseParallelism(2);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(1 << 30);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB *db;
  const auto status = rocksdb::DB::Open(options, folder, &db);
  if (status.ok()) return db;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const std::string workload = argv[1], folder = argv[2];
  const uint64_t keys = strtoull(argv[3], nullptr, 10);
  Loop loop{keys, keys, atoi(argv[4]), argc > 5 ? atof(argv[5]) : 0, sampling, 42};
  rocksdb::DB *db = open_store(folder);
  const std::string value(value_bytes, 'x');
  rocksdb::WriteOptions writing;
  const auto puts = [&](int) {
    return [&](const char *key) { return db->Put(writing, Slice(key, key_bytes), value).ok(); };
  };
  const auto gets = [&](int) {
    return [&, out = std::string()](const char *key) mutable {
      return db->Get(rocksdb::ReadOptions(), Slice(key, key_bytes), &out).ok();
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
  } else {
    writing.sync = workload == "synced";
    if (writing.sync) loop.every = 1;
    print_json(run(loop, puts));
  }
  delete db;
}
