#include "CKernels.h"

/* The table is the reference and the fallback; the instruction computes the same function. */
static uint32_t table[256];

__attribute__((constructor)) static void fill_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = (c & 1) ? (c >> 1) ^ 0x82f63b78u : c >> 1;
    table[i] = c;
  }
}

static uint32_t by_table(uint32_t c, const uint8_t *p, size_t n) {
  while (n--) c = table[(c ^ *p++) & 0xff] ^ (c >> 8);
  return c;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t c, const uint8_t *p, size_t n) {
  uint64_t x = c;
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    x = _mm_crc32_u64(x, v);
  }
  c = (uint32_t)x;
  while (n--) c = _mm_crc32_u8(c, *p++);
  return c;
}

static int has_instruction;
__attribute__((constructor)) static void look(void) { has_instruction = __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

static uint32_t by_instruction(uint32_t c, const uint8_t *p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    c = __crc32cd(c, v);
  }
  while (n--) c = __crc32cb(c, *p++);
  return c;
}
enum { has_instruction = 1 };
#else
static uint32_t by_instruction(uint32_t c, const uint8_t *p, size_t n) { return by_table(c, p, n); }
enum { has_instruction = 0 };
#endif

uint32_t kv_crc32c(uint32_t crc, const void *bytes, size_t count) {
  uint32_t c = ~crc;
  return ~(has_instruction ? by_instruction(c, bytes, count) : by_table(c, bytes, count));
}
