#define _GNU_SOURCE
#include "CKernels.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local uint64_t virtual_now_ns;
static _Thread_local int64_t virtual_unix_ms;

static __thread uint32_t next_count;

uint32_t kv_next_count(void) { return next_count++; }

uint64_t kv_virtual_now(void) { return virtual_now_ns; }
void kv_set_virtual_now(uint64_t now_ns) { virtual_now_ns = now_ns; }
int64_t kv_virtual_unix_ms(void) { return virtual_unix_ms; }
void kv_set_virtual_unix_ms(int64_t unix_ms) { virtual_unix_ms = unix_ms; }

void kv_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void kv_respond_quickly(void) {
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  /* struct sched_attr, version 0; the C library has none. */
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {0};
  attributes.size = sizeof attributes;
  attributes.policy = SCHED_OTHER;
  attributes.nice = getpriority(PRIO_PROCESS, 0);
  attributes.runtime = 100000;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void kv_wake_precisely(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

int kv_write_back(int fd, int64_t offset, int64_t count) {
  return sync_file_range(
      fd, offset, count, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

int kv_collapse(void *address) { return madvise(address, KV_HUGE_PAGE_BYTES, MADV_COLLAPSE); }
