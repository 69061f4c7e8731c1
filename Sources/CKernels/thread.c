#define _GNU_SOURCE
#include "CKernels.h"
#include <pthread.h>

void kv_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
