/*
 * The terminal is given back however the program ends.
 *
 * A handler may run on any thread at any moment, so it uses nothing but what POSIX calls async-signal-safe: write,
 * tcsetattr, dup2, pread, sigaction, raise. endwin is not among them; what it would send was prepared beforehand.
 */
#define _GNU_SOURCE
#define NCURSES_WIDECHAR 1
#include "CTerminal.h"
#include "Internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static int tty = -1;
static char undo_bytes[256];
static size_t undo_count;
static atomic_int armed;

static void write_all(int descriptor, const char *bytes, size_t count) {
  while (count) {
    ssize_t written = write(descriptor, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes += written;
    count -= (size_t)written;
  }
}

void ct_guard_arm(int on) { atomic_store(&armed, on); }
int ct_guard_is_armed(void) { return atomic_load(&armed); }

void ct_guard_restore(void) {
  /* Of two threads that crash at once only one gives back. */
  if (tty < 0 || !atomic_exchange(&armed, 0)) return;
  write_all(tty, undo_bytes, undo_count);
  tcsetattr(tty, TCSANOW, &saved);
}

/* ---- stderr ---- */

static atomic_int kept = -1;
static int real_stderr = -1;

static int make_memory_file(void) {
#ifdef __linux__
  return memfd_create("stderr", MFD_CLOEXEC);
#else
  FILE *file = tmpfile();
  return file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 10) : -1;
#endif
}

int ct_capture_stderr(void) {
  if (atomic_load(&kept) >= 0) return 0;
  int file = make_memory_file();
  if (file < 0) return -1;
  if (real_stderr < 0) real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
  if (real_stderr < 0 || dup2(file, STDERR_FILENO) < 0) {
    close(file);
    return -1;
  }
  atomic_store(&kept, file);
  return 0;
}

void ct_release_stderr(void) {
  int file = atomic_exchange(&kept, -1);
  if (file < 0) return;
  dup2(real_stderr, STDERR_FILENO);
  char buffer[4096];
  off_t offset = 0;
  ssize_t count;
  while ((count = pread(file, buffer, sizeof buffer, offset)) > 0) {
    write_all(STDERR_FILENO, buffer, (size_t)count);
    offset += count;
  }
  close(file);
}

/* ---- Crashes ---- */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, SIGQUIT,
                              /* Nobody handles these, so they end the program; SIGALRM until we use it ourselves. */
                              SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU};
static struct sigaction before[NSIG];

static void on_crash(int number, siginfo_t *info, void *context) {
  (void)context;
  ct_guard_restore();
  ct_release_stderr();
  /* Whoever handled this before (Swift's backtracer, or the default) handles it now: a fault happens again when this
   * returns; a signal that was sent, as abort does, has to be sent again. */
  sigaction(number, &before[number], NULL);
  if (info->si_code <= 0) {
    raise(number);
    signal(number, SIG_DFL);
    raise(number);
  }
}

int ct_guard_install(int descriptor, const char *undo, size_t count) {
  /* Without a stack of its own the handler could not run after a stack overflow of this thread. */
  static char stack_bytes[65536];
  static int is_installed;
  if (count > sizeof undo_bytes || tcgetattr(descriptor, &saved)) return -1;
  memcpy(undo_bytes, undo, count);
  undo_count = count;
  tty = descriptor;
  if (is_installed) return 0;
  is_installed = 1;
  stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof stack_bytes}, current;
  if (!sigaltstack(NULL, &current) && (current.ss_flags & SS_DISABLE)) sigaltstack(&stack, NULL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigaction(crashes[i], &action, &before[crashes[i]]);
  atexit(ct_guard_restore);
  return 0;
}

/* ---- Signals as bytes ---- */

static int pipe_ends[2] = {-1, -1};
static int handled[NSIG];
static int handled_count;

/* Longer than any frame takes on a terminal that reads; shorter than people wait before they send SIGKILL. */
enum { SECONDS_TO_END = 3 };

/* Set when the process goes on after a stop. */
static volatile sig_atomic_t continued;

static void on_signal(int number) {
  if (number == SIGCONT) continued = 1;
  int error = errno;
  char byte = (char)number;
  if (write(pipe_ends[1], &byte, 1) < 0) {} /* A full pipe wakes as well as one byte more. */
  if (number == SIGTERM || number == SIGHUP) alarm(SECONDS_TO_END);
  errno = error;
}

static void on_alarm(int number) {
  (void)number;
  /* The terminal does not read: writing to it must not block here too. */
  fcntl(tty, F_SETFL, fcntl(tty, F_GETFL) | O_NONBLOCK);
  ct_guard_restore();
  _exit(128 + SIGTERM);
}

static void handle(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, NULL);
}

int ct_signal_pipe(const int *signals, int count) {
  if (pipe_ends[0] < 0) {
    if (pipe(pipe_ends)) return -1;
    for (int end = 0; end < 2; end++) {
      fcntl(pipe_ends[end], F_SETFD, FD_CLOEXEC);
      fcntl(pipe_ends[end], F_SETFL, O_NONBLOCK);
    }
  }
  handled_count = 0;
  for (int i = 0; i < count && i < NSIG; i++) {
    handled[handled_count++] = signals[i];
    handle(signals[i], on_signal);
  }
  handle(SIGALRM, on_alarm);
  return pipe_ends[0];
}

void ct_signal_taken(void) { alarm(0); }

void ct_signal_close(void) {
  for (int i = 0; i < handled_count; i++) handle(handled[i], handled[i] == SIGHUP ? SIG_IGN : SIG_DFL);
  handled_count = 0;
  alarm(0);
}

void ct_wake(void) {
  char byte = 0;
  if (pipe_ends[1] >= 0 && write(pipe_ends[1], &byte, 1) < 0) {}
}

void ct_stop_process_group(void) {
  struct sigaction standard, ours;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  sigset_t stop, mask;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  sigaction(SIGTSTP, &standard, &ours);
  pthread_sigmask(SIG_UNBLOCK, &stop, &mask);
  /* The whole group, as the kernel does for Ctrl-Z: a pipeline stops as one. Another thread may be the one that takes the
     signal, a moment later: ours must not be back in place before, so wait until SIGCONT has come. A group that nobody
     can continue is not stopped at all, so not for ever. */
  continued = 0;
  kill(0, SIGTSTP);
  const struct timespec moment = {0, 5 * 1000 * 1000};
  for (int i = 0; i < 100 && !continued; i++) nanosleep(&moment, NULL);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  sigaction(SIGTSTP, &ours, NULL);
}
