#define _GNU_SOURCE
#include "CKernels.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

void kv_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void kv_wake_precisely(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

int kv_write_back(int fd, int64_t offset, int64_t count) {
  return sync_file_range(
      fd, offset, count, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

int kv_collapse(void *address) { return madvise(address, KV_HUGE_PAGE_BYTES, MADV_COLLAPSE); }
