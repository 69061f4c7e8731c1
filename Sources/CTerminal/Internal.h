#pragma once
/* Shared by this target's files; Swift sees none of it. */
#include <wchar.h>
#include <curses.h>

/* Stops the process group with SIGTSTP's default action; returns after SIGCONT. */
void ct_stop_process_group(void);
