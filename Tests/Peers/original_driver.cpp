// The C++ demo program's store on the benchmark's work, its chatter on standard output silenced.
// build: c++ -std=c++17 -O2 -pthread -DORIGINAL='"path/to/kvstore.cpp"' original_driver.cpp
// usage: original_driver fill|read KEYS, in an empty folder      prints JSON
// Two to three copies, a write-ahead log that is flushed and never synced, one thread (two threads race in it).
#include <unistd.h>
#define main original_main
#include ORIGINAL
#undef main

static std::string key_of(uint64_t n) {
  std::string key(16, '0');
  for (int i = 15; i >= 0; i--, n /= 10) key[i] = char('0' + n % 10);
  return key;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const bool reads = std::string(argv[1]) == "read";
  const uint64_t keys = strtoull(argv[2], nullptr, 10);
  std::cout.setstate(std::ios::failbit);
  DistributedKVStore store(3);
  for (auto name : {"node1", "node2", "node3"}) store.addNode(name);
  const std::string value(100, 'x');
  for (uint64_t n = 0; reads && n < keys; n++) store.put(key_of(n), value);
  uint64_t state = 88172645463325252ull;
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < keys; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    if (reads) store.get(key_of(state % keys));
    else store.put(key_of(state % keys), value);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  printf("{\"opsPerSecond\": %.0f}\n", keys / seconds);
  fflush(stdout);
  _exit(0);
}
