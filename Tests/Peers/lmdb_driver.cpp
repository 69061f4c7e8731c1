// LMDB on the benchmark's work: 16-byte decimal keys, 100-byte values, uniformly random gets.
// usage: lmdb_driver read FOLDER KEYS THREADS [SECONDS]      prints JSON, see peer.h
// One copy, loaded in order in one transaction, so its tree is as dense as it can be. Each get begins its own read
// transaction (the thread's, renewed), as a store's get must to see the newest value, and copies the value into memory
// of the caller's. An untimed pass of as many gets comes first.
#include <lmdb.h>

#include <cstring>

#include "peer.h"

static void check(int code) {
  if (code == 0) return;
  fprintf(stderr, "%s\n", mdb_strerror(code));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 5 || std::string(argv[1]) != "read") return 2;
  const uint64_t keys = strtoull(argv[3], nullptr, 10);
  const Loop loop{keys, keys, atoi(argv[4]), argc > 5 ? atof(argv[5]) : 0, sampling, 42};
  MDB_env *env;
  MDB_dbi table;
  MDB_txn *loading;
  check(mdb_env_create(&env));
  check(mdb_env_set_mapsize(env, (1ull << 30) + keys * 512));
  check(mdb_env_open(env, argv[2], MDB_NOSYNC, 0600));
  check(mdb_txn_begin(env, nullptr, 0, &loading));
  check(mdb_dbi_open(loading, nullptr, 0, &table));
  std::string bytes(value_bytes, 'x');
  char key[key_bytes];
  for (uint64_t n = 0; n < keys; n++) {
    write_key(key, n);
    MDB_val k{key_bytes, key}, v{bytes.size(), &bytes[0]};
    check(mdb_put(loading, table, &k, &v, 0));
  }
  check(mdb_txn_commit(loading));

  const auto gets = [&](int) {
    MDB_txn *reading;
    check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &reading));
    mdb_txn_reset(reading);
    return [=](const char *key) {
      char out[value_bytes];
      check(mdb_txn_renew(reading));
      MDB_val k{key_bytes, const_cast<char *>(key)}, v;
      const bool found = mdb_get(reading, table, &k, &v) == 0;
      if (found) memcpy(out, v.mv_data, v.mv_size < sizeof out ? v.mv_size : sizeof out);
      asm volatile("" : : "r"(out) : "memory");  // the copy is wanted, though nobody looks at it
      mdb_txn_reset(reading);
      return found;
    };
  };
  run({keys, keys < 1000000 ? keys : 1000000, loop.threads, 0, sampling, 104771}, gets);
  print_json(run(loop, gets));
  // The readers' transactions and the environment go with the process.
}
