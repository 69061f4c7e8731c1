#define _GNU_SOURCE
#include "CKernels.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

static _Thread_local uint64_t virtual_now_ns;

static __thread uint32_t next_count;

uint32_t kv_next_count(void) { return next_count++; }

uint64_t kv_virtual_now(void) { return virtual_now_ns; }
void kv_set_virtual_now(uint64_t now_ns) { virtual_now_ns = now_ns; }

void kv_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int kv_write_back(int fd, int64_t offset, int64_t count) {
  return sync_file_range(
      fd, offset, count, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

int kv_collapse(void *address) { return madvise(address, KV_HUGE_PAGE_BYTES, MADV_COLLAPSE); }
