import Glibc
import Text

/// Limits of this process, checked before a cluster is opened: beyond a limit the run-time library can only
/// trap, far from what was asked for, and no message of the system names the limit.
package enum ProcessLimits {
  /// A node's cache where nothing else is asked for.
  package static let cacheBytesDefault = 64 << 20

  /// Files that are open beside those of the nodes: the standard ones, the lock, pipes, clients' files, the socket in the
  /// folder and its event loop.
  private static let filesBeside = 32
  /// Files of one node: its active segment, and one that is written or compacted beside it.
  private static let filesPerNode = 2
  /// A segment of a log.
  private static let segmentBytes = 64 << 20
  private static let threadsBeside = 24
  private static let threadsPerNode = 2
  /// Address space beside the caches: code, stacks, tables of keys, and what an operation needs.
  private static let bytesBeside = 400 << 20
  private static let bytesPerNode = 16 << 20
  /// Where more threads than this are allowed, nobody has set a limit to keep us small.
  private static let threadsPlenty: UInt64 = 8_192

  /// Threads without which the run-time library waits for ever for one.
  private static let threadsLeast = 8

  /// The first thing of all: ends the program where there is no room to say anything later, whatever it is to do.
  package static func checkAtStart() {
    guard let problem = problemAtStart() else { return }
    Console.standard.complain(problem)
    _exit(1)
  }

  private static func problemAtStart() -> String? {
    if let files = filesAllowed(wanted: rlim_t(filesBeside)) {
      return
        "this process may have \(files) files open, and needs \(filesBeside): raise the limit (`ulimit -n \(filesBeside)`)"
    }
    if let bytes = addressSpaceAllowed(wanted: bytesBeside) {
      return
        "this process may have \(Figures.given(bytes: bytes)) of address space, and needs \(Figures.given(bytes: bytesBeside)): raise the limit "
        + "(`ulimit -v \(bytesBeside >> 10)`)"
    }
    return threadsAllowed(wanted: threadsLeast).map { made, limit in
      "the system gives this process \(made) threads more, and it needs \(threadsLeast): the user's limit of processes is "
        + "\(limit); raise it (`ulimit -u`)"
    }
  }

  /// Raises the limits that may be raised; names in one line the one that is too low for this number of nodes.
  package static func problem(nodes: Int, cacheBytes: Int) -> String? {
    problemOfFiles(nodes) ?? problemOfFileSize() ?? problemOfMemory(nodes, cacheBytes) ?? problemOfThreads(nodes)
  }

  /// Event loops of a server: one a processor, and no more than serve the clients of one machine.
  package static var processors: Int { min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  // MARK: - Files

  /// Sets how many clients may connect, lowered to what the system's limit of files allows.
  package static func raiseFiles(to clients: Int) { _ = filesAllowed(wanted: rlim_t(clients + 1_024)) }

  private static func problemOfFiles(_ nodes: Int) -> String? {
    let wanted = rlim_t(filesBeside + filesPerNode * nodes)
    return filesAllowed(wanted: wanted).map { allowed in
      "this process may have \(allowed) files open, and \(Figures.count(nodes, "node")) "
        + "\(Figures.word(nodes, "needs", "need")) \(wanted): raise the limit (`ulimit -n \(wanted)`), or use fewer nodes"
    }
  }

  /// How many files may be open, if that is less than what is wanted and cannot be raised.
  private static func filesAllowed(wanted: rlim_t) -> rlim_t? { allowed(RLIMIT_NOFILE, wanted: wanted) }

  /// A log that reached the limit within a segment would take no more records, and its node would stop.
  private static func problemOfFileSize() -> String? {
    allowed(RLIMIT_FSIZE, wanted: rlim_t(segmentBytes)).map { allowed in
      "this process may make files of \(Figures.bytes(Int(allowed))), and a segment of a node's log has up to "
        + "\(Figures.given(bytes: segmentBytes)): raise the limit (`ulimit -f unlimited`)"
    }
  }

  /// The limit, if that is less than what is wanted and cannot be raised.
  private static func allowed(_ resource: __rlimit_resource, wanted: rlim_t) -> rlim_t? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
    if limit.rlim_cur < wanted {
      // The soft limit is a default of the shell's, and any process may raise it.
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(resource.rawValue), &raised) == 0 { limit = raised }
    }
    return limit.rlim_cur < wanted ? limit.rlim_cur : nil
  }

  // MARK: - Memory

  private static func problemOfMemory(_ nodes: Int, _ cacheBytes: Int) -> String? {
    let caches = nodes * cacheBytes
    // The default may be more than there is with many nodes: memory is used as the caches fill.
    if !isMappable(cacheBytes) || cacheBytes > cacheBytesDefault && caches > physicalBytes {
      return
        "a cache of \(Figures.given(bytes: cacheBytes)) for each of \(Figures.count(nodes, "node")) does not fit this machine's memory, "
        + "\(Figures.given(bytes: physicalBytes)): --cache-mib \(max(1, (physicalBytes / 4 / nodes) >> 20)) does"
    }
    let wanted = caches + bytesBeside + bytesPerNode * nodes
    return addressSpaceAllowed(wanted: wanted).map { allowed in
      "this process may have \(Figures.given(bytes: allowed)) of address space, and \(Figures.count(nodes, "node")) with caches of "
        + "\(Figures.given(bytes: cacheBytes)) \(Figures.word(nodes, "needs", "need")) \(Figures.given(bytes: wanted)): raise the limit "
        + "(`ulimit -v \(wanted >> 10)`), or make the caches smaller (--cache-mib)"
    }
  }

  /// The limit, if that is less than what is wanted.
  private static func addressSpaceAllowed(wanted: Int) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(wanted) else {
      return nil
    }
    return Int(limit.rlim_cur)
  }

  private static func isMappable(_ bytes: Int) -> Bool {
    guard bytes > 0 else { return true }
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { return false }
    munmap(memory, bytes)
    return true
  }

  private static var physicalBytes: Int {
    max(1 << 20, sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)))
  }

  // MARK: - Threads

  private static func problemOfThreads(_ nodes: Int) -> String? {
    let wanted = threadsBeside + threadsPerNode * nodes
    return threadsAllowed(wanted: wanted).map { made, limit in
      "the system gives this process \(made) threads more, and \(Figures.count(nodes, "node")) "
        + "\(Figures.word(nodes, "needs", "need")) \(wanted): the user's limit of processes is \(limit); raise it "
        + "(`ulimit -u`), or use fewer nodes"
    }
  }

  /// How many threads more there can be, if those are fewer than wanted, and the limit. Asks by making them: the limit
  /// counts all processes of the user, and a container's is named nowhere.
  private static func threadsAllowed(wanted: Int) -> (made: Int, limit: rlim_t)? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &limit) == 0, UInt64(limit.rlim_cur) < threadsPlenty
    else { return nil }
    var gate = pthread_mutex_t()
    pthread_mutex_init(&gate, nil)
    defer { pthread_mutex_destroy(&gate) }
    let made = withUnsafeMutablePointer(to: &gate) { gate in
      pthread_mutex_lock(gate)
      var threads: [pthread_t] = []
      while threads.count < wanted {
        var thread = pthread_t()
        let failure = pthread_create(
          &thread, nil,
          { gate in
            let gate = gate?.assumingMemoryBound(to: pthread_mutex_t.self)
            pthread_mutex_lock(gate!)
            pthread_mutex_unlock(gate!)
            return nil
          }, gate)
        if failure != 0 { break }
        threads.append(thread)
      }
      pthread_mutex_unlock(gate)
      for thread in threads { pthread_join(thread, nil) }
      return threads.count
    }
    return made < wanted ? (made, limit.rlim_cur) : nil
  }
}
