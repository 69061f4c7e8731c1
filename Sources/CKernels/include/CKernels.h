#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, continuing from `crc`; start with 0.
/// Uses the processor's instruction where there is one: about 10 ns for 100 bytes.
uint32_t kv_crc32c(uint32_t crc, const void *bytes, size_t count);

/// Asks for the cache line at `address`, to be read or to be written. Never faults.
static inline void kv_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
static inline void kv_prefetch_write(const void *address) { __builtin_prefetch(address, 1, 3); }

/// The calling thread's virtual time in nanoseconds; 0 if it lives in real time. A simulation sets it, nobody else.
uint64_t kv_virtual_now(void);
void kv_set_virtual_now(uint64_t now_ns);

/// What the calling thread's system clock shows at virtual time 0, in Unix milliseconds.
int64_t kv_virtual_unix_ms(void);
void kv_set_virtual_unix_ms(int64_t unix_ms);

/// Counts the calls of the calling thread, from 0: what tells every so many of its operations from the others.
uint32_t kv_next_count(void);

/// Names the calling thread, for `top -H` and debuggers; 15 bytes at most.
void kv_name_thread(const char *name);

/// For a thread that many wait for and that mostly waits itself: it runs soon after it is woken, even if all processors
/// are busy, and its timed waits end when they are due and not up to 50 µs later. (Linux gives a thread 3 ms at a time;
/// whoever asks for less at a time, 0.1 ms here, gets it sooner: sched_setattr(2), Linux 6.12.) Where the system cannot,
/// nothing changes.
void kv_respond_quickly(void);

/// From now on the kernel wakes the calling thread when it asked to be, not up to 50 µs later (PR_SET_TIMERSLACK).
void kv_wake_precisely(void);

/// Writes the dirty pages of a part of a file to the disk and waits for it. Says nothing about metadata or the disk's
/// cache: only an fdatasync does. Returns 0, or -1 with errno.
int kv_write_back(int fd, int64_t offset, int64_t count);

enum { KV_HUGE_PAGE_BYTES = 2 << 20 };

/// Asks for one huge page in place of the small ones at `address`, a multiple of its size (Linux 6.1). Takes
/// milliseconds; what is there stays there. Returns 0, or -1 with errno where it cannot be.
int kv_collapse(void *address);

/// Says which file is mapped at `start`, and that it is called differently or no longer mapped.
void kv_mapping_add(const void *start, size_t count, const char *path);
void kv_mapping_rename(const void *start, const char *path);
void kv_mapping_remove(const void *start);

/// From now on a SIGBUS in one of these files ends the program with status 1 and a sentence that names the file.
void kv_explain_bus_errors(void);
