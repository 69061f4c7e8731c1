/*
 * A load or store beyond the end of a mapped file that was cut short under the program, or in a page that its disk cannot
 * read, is a SIGBUS: no call returns an error. Which file it was is known here, so that the program ends with its name.
 *
 * The handler may run on any thread at any moment: it reads atomics and calls nothing but write, sigaction and _exit.
 */
#define _GNU_SOURCE
#include "CKernels.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { MAPPINGS_MAX = 4096, PATH_BYTES = 496 };

static struct mapping {
  _Atomic(uintptr_t) start;
  _Atomic(size_t) count;
  char path[PATH_BYTES];
} mappings[MAPPINGS_MAX];
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_ending;
static struct sigaction before;

static struct mapping *find(uintptr_t start) {
  for (int i = 0; i < MAPPINGS_MAX; i++)
    if (atomic_load(&mappings[i].start) == start) return &mappings[i];
  return NULL;
}

static void set_path(struct mapping *mapping, const char *path) {
  size_t count = strlen(path);
  /* The end of a long path says more than its beginning. */
  if (count >= PATH_BYTES) path += count - PATH_BYTES + 1;
  strncpy(mapping->path, path, PATH_BYTES - 1);
}

void kv_mapping_add(const void *start, size_t count, const char *path) {
  pthread_mutex_lock(&changing);
  struct mapping *mapping = find(0);
  /* Beyond the limit a fault is not explained. */
  if (mapping) {
    set_path(mapping, path);
    atomic_store(&mapping->count, count);
    atomic_store(&mapping->start, (uintptr_t)start);
  }
  pthread_mutex_unlock(&changing);
}

void kv_mapping_rename(const void *start, const char *path) {
  pthread_mutex_lock(&changing);
  struct mapping *mapping = find((uintptr_t)start);
  if (mapping) set_path(mapping, path);
  pthread_mutex_unlock(&changing);
}

void kv_mapping_remove(const void *start) {
  pthread_mutex_lock(&changing);
  struct mapping *mapping = find((uintptr_t)start);
  if (mapping) atomic_store(&mapping->start, 0);
  pthread_mutex_unlock(&changing);
}

static void say(const char *text, size_t count) {
  while (count) {
    ssize_t written = write(STDERR_FILENO, text, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    count -= (size_t)written;
  }
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
  (void)context;
  uintptr_t at = (uintptr_t)info->si_addr;
  for (int i = 0; info->si_code > 0 && i < MAPPINGS_MAX; i++) {
    uintptr_t start = atomic_load(&mappings[i].start);
    if (!start || at - start >= atomic_load(&mappings[i].count)) continue;
    /* Of threads that meet it together one speaks. */
    if (atomic_exchange(&is_ending, 1)) for (;;) pause();
    static const char intro[] = "kvstore: ";
    static const char rest[] =
        " was cut short, or its disk cannot read it, while it was open: the program had to end, as by a crash. "
        "What was acknowledged is in the other nodes' logs; `kvstore verify` says what is damaged\n";
    say(intro, sizeof intro - 1);
    say(mappings[i].path, strnlen(mappings[i].path, PATH_BYTES));
    say(rest, sizeof rest - 1);
    _exit(1);
  }
  /* Not one of ours: whoever handled this before does so now. A fault happens again when this returns. */
  sigaction(number, &before, NULL);
  if (info->si_code <= 0) raise(number);
}

void kv_explain_bus_errors(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGBUS, &action, &before);
}
