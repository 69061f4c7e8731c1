// Redis on the benchmark's work: 16-byte decimal keys, 100-byte values, uniformly random.
// usage: redis_driver overwrite|read|synced FOLDER KEYS CLIENTS [SECONDS]      prints JSON, see peer.h
// Starts a redis-server of its own in FOLDER, on a socket there, with an append-only file: appendfsync everysec, or
// always for `synced`. One copy. Each client is a thread with a connection that waits for its answer before it sends the
// next command, as a caller of put or get does; loading is pipelined and not timed. Every operation crosses a socket to
// another process twice, which is what a call within one process is spared.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "peer.h"

static pid_t server;

[[noreturn]] static void fail(const char *what) {
  perror(what);
  if (server > 0) kill(server, SIGKILL);
  exit(1);
}

struct Connection {
  int socket = -1;
  std::string input;
  size_t read_to = 0;

  bool open(const std::string &path) {
    socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{AF_UNIX, {}};
    if (path.size() >= sizeof address.sun_path) fail("socket path");
    strcpy(address.sun_path, path.c_str());
    if (connect(socket, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) return true;
    close(socket);
    return false;
  }
  void send(const std::string &bytes) {
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t n = write(socket, bytes.data() + at, bytes.size() - at);
      if (n <= 0) fail("write");
      at += n;
    }
  }
  void need(size_t count) {
    while (input.size() - read_to < count) {
      char chunk[65536];
      const ssize_t n = read(socket, chunk, sizeof chunk);
      if (n <= 0) fail("read");
      input.append(chunk, n);
    }
  }
  std::string line() {
    size_t end;
    while ((end = input.find("\r\n", read_to)) == std::string::npos) need(input.size() - read_to + 1);
    std::string text = input.substr(read_to, end - read_to);
    read_to = end + 2;
    return text;
  }
  // One answer; returns whether it is OK, or a value of the benchmark's size.
  bool answer() {
    const std::string head = line();
    bool good = head == "+OK";
    if (head[0] == '$' && head != "$-1") {
      const size_t count = strtoull(head.c_str() + 1, nullptr, 10);
      need(count + 2);
      read_to += count + 2;
      good = count == value_bytes;
    }
    if (read_to == input.size()) input.clear(), read_to = 0;
    return good;
  }
};

static std::string command(bool sets, const char *key) {
  static const std::string value = "\r\n$" + std::to_string(value_bytes) + "\r\n" + std::string(value_bytes, 'x') + "\r\n";
  const std::string name(key, key_bytes);
  const std::string size = std::to_string(key_bytes);
  return sets ? "*3\r\n$3\r\nSET\r\n$" + size + "\r\n" + name + value : "*2\r\n$3\r\nGET\r\n$" + size + "\r\n" + name + "\r\n";
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const std::string workload = argv[1], folder = argv[2], socket = folder + "/redis.sock";
  const uint64_t keys = strtoull(argv[3], nullptr, 10);
  const Loop loop{keys, keys, atoi(argv[4]), argc > 5 ? atof(argv[5]) : 0, 1, 42};
  server = fork();
  if (server == 0) {
    if (!freopen("/dev/null", "w", stdout)) _exit(1);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket.c_str(), "--dir", folder.c_str(), "--save", "",
           "--appendonly", "yes", "--appendfsync", workload == "synced" ? "always" : "everysec", nullptr);
    _exit(127);
  }
  std::vector<Connection> connections(loop.threads);
  for (auto &connection : connections) {
    while (!connection.open(socket)) {
      if (waitpid(server, nullptr, WNOHANG) == server) fail("redis-server ended");
      usleep(10000);
    }
  }
  char key[key_bytes];
  for (uint64_t n = 0; n < keys && workload != "synced";) {
    std::string batch;
    uint64_t count = 0;
    for (; count < 512 && n < keys; count++, n++) write_key(key, n), batch += command(true, key);
    connections[0].send(batch);
    while (count-- > 0) if (!connections[0].answer()) fail("SET");
  }
  const bool sets = workload != "read";
  print_json(run(loop, [&](int thread) {
    return [&connections, thread, sets](const char *key) {
      connections[thread].send(command(sets, key));
      return connections[thread].answer();
    };
  }));
  kill(server, SIGTERM);
  waitpid(server, nullptr, 0);
}
