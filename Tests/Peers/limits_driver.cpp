// What the machine itself can do, as a bound to hold the figures against.
// usage: limits_driver fdatasync FOLDER          appends a record into space that holds zeros, and one fdatasync each
//        limits_driver sequential FOLDER BYTES   writes a new file, MiB by MiB, and one fdatasync at the end
//        limits_driver touch BYTES               touches memory, and prints nothing
// Prints JSON, see peer.h. `touch` is for virtual machines, whose memory comes slowly from the host when it is touched
// for the first time or after a while: whoever runs first would pay for that.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "peer.h"

// A record of kvstore: header 24, key 16, value 100, padding to 8.
constexpr int record_bytes = 144;
constexpr int syncs = 4000;
constexpr size_t unit = 1 << 20;

static void check(bool ok) {
  if (ok) return;
  perror("limits_driver");
  exit(1);
}

static int new_file(const char *folder) {
  const int fd = open((std::string(folder) + "/limits").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  check(fd >= 0);
  return fd;
}

static void one_fdatasync(const char *folder) {
  const int fd = new_file(folder);
  const std::string zeros(unit, 0), record(record_bytes, 'x');
  for (size_t at = 0; at < size_t(record_bytes) * syncs; at += unit) {
    check(pwrite(fd, zeros.data(), unit, at) == ssize_t(unit));
  }
  check(fsync(fd) == 0);
  Outcome outcome;
  const uint64_t start = now_ns();
  for (; outcome.operations < syncs; outcome.operations++) {
    const uint64_t began = now_ns();
    check(pwrite(fd, record.data(), record_bytes, outcome.operations * record_bytes) == record_bytes);
    check(fdatasync(fd) == 0);
    outcome.latencies.record(now_ns() - began);
  }
  outcome.seconds = (now_ns() - start) / 1e9;
  print_json(outcome);
}

static void sequential(const char *folder, size_t bytes) {
  const int fd = new_file(folder);
  const std::string data(unit, 'x');
  const uint64_t start = now_ns();
  for (size_t at = 0; at < bytes; at += unit) check(write(fd, data.data(), unit) == ssize_t(unit));
  check(fdatasync(fd) == 0);
  printf("{\"bytes\": %zu, \"elapsedNs\": %lu}\n", (bytes + unit - 1) / unit * unit, now_ns() - start);
}

static void touch(size_t bytes) {
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(memory != MAP_FAILED);
  madvise(memory, bytes, MADV_HUGEPAGE);
  memset(memory, 1, bytes);
  asm volatile("" : : "r"(memory) : "memory");
}

int main(int argc, char **argv) {
  const std::string test = argc > 2 ? argv[1] : "";
  if (test == "fdatasync") one_fdatasync(argv[2]);
  else if (test == "sequential" && argc > 3) sequential(argv[2], strtoull(argv[3], nullptr, 10));
  else if (test == "touch") touch(strtoull(argv[2], nullptr, 10));
  else return 2;
}
