// What the fuzzer and the address sanitizer offer to a program that has a main function of its own.
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's main: reads its options and the folders of its corpus from the arguments.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t byteCount));

/// Makes each access to the bytes an error, and allows it again.
void __asan_poison_memory_region(const volatile void *address, size_t byteCount);
void __asan_unpoison_memory_region(const volatile void *address, size_t byteCount);
