#pragma once
/*
 * The terminal as a handful of functions, over ncursesw.
 *
 * No curses type, macro or global crosses this header: in Swift 6 mutable C globals are errors and function-like macros
 * do not exist, and code that cannot see `stdscr` cannot draw behind the presenter's back.
 *
 * Everything but the guard's handlers belongs to one thread, the one that called ct_open.
 */
#include <stddef.h>
#include <stdint.h>

/* ---- Screen (Screen.c) ---- */

enum {
  CT_BOLD = 1,
  CT_DIM = 2,
  CT_REVERSE = 4,
  CT_UNDERLINE = 8,
};

/* One character, the marks drawn over it (0 behind the last), and its look. Colours are -1 for the terminal's own, a palette index, or 0xRRGGBB on a terminal of
 * direct colours. `columns` is the width the caller reckoned with: where the C library disagrees, blanks are drawn,
 * because a character of another width would shift the rest of the row. */
typedef struct {
  uint32_t scalar;
  uint32_t marks[4];
  int32_t foreground;
  int32_t background;
  uint8_t attributes;
  uint8_t columns;
} ct_cell;

/* Sets the locale from the environment; returns whether the terminal is written in UTF-8. Call it before ct_open. */
int ct_set_locale(void);

enum ct_open_result { CT_OPENED, CT_UNKNOWN_TERMINAL, CT_NO_CURSOR_MOVEMENT };

/* Takes the terminal: raw input, alternate screen. `direct_terminfo` is a terminfo entry as ncurses takes it in
 * TERMINFO, with the name `term`, or NULL for the system's own entry of that name. */
enum ct_open_result ct_open(const char *term, const char *direct_terminfo);
/* Gives the terminal back. Does nothing when it was given back already. */
void ct_close(void);

/* What the terminal sends for a key, by its name in terminfo, or NULL. It stays as long as the terminal is ours. */
const char *ct_key_sequence(const char *capability);

/* Colours the terminal shows: 0, 8, 16, 256, or 1 << 24. */
int ct_color_count(void);
/* Sends the sequences that only xterm's relatives know: bracketed paste and synchronized updates. */
void ct_use_extensions(int on);

/* Has presses and the wheel reported, or leaves the mouse to the terminal, where it selects text. */
void ct_use_mouse(int on);

int ct_width(void);
int ct_height(void);
/* Takes over the terminal's size now; returns whether it had changed. The screen must then be drawn again. */
int ct_adopt_size(void);

/* Puts `count` cells from `column` on; nothing is sent yet. */
void ct_draw(int row, int column, const ct_cell *cells, int count);
/* Sends what was drawn, in one synchronized update, and puts the cursor there; a negative column hides it. */
void ct_present(int column, int row);
/* Forgets what the terminal shows: the next ct_present sends every cell. */
void ct_repaint(void);
/* Whether cells already drawn lost their colours, because there were more combinations than the terminal keeps:
 * everything must be drawn again. Asking clears the answer. */
int ct_lost_colors(void);

/* Gives the terminal back, stops the process group as Ctrl-Z does, and takes the terminal again after SIGCONT. */
void ct_suspend(void);
/* Takes the terminal again after a stop that could not be caught. */
void ct_resume(void);

/* ---- Guard (Guard.c) ---- */

/* Remembers how the terminal is now and gives it back if the program crashes on any thread: writes `undo`, restores
 * the line settings, replays stderr, then lets the crash go on as before. Call it before ct_open. Returns -1 if the
 * terminal cannot be asked. */
int ct_guard_install(int tty, const char *undo, size_t undo_bytes);
/* Whether the terminal is ours, and so has to be given back. */
void ct_guard_arm(int on);
int ct_guard_is_armed(void);
/* Gives the terminal back now, if it is ours. Safe in a signal handler. */
void ct_guard_restore(void);

/* Keeps what is written to stderr in memory while the screen is up: it would destroy the picture. */
int ct_capture_stderr(void);
/* Gives stderr back and writes to it what was kept. Safe in a signal handler. */
void ct_release_stderr(void);

/* Makes the signals arrive as bytes; returns the descriptor to poll and read, the same on each call, or -1. SIGTERM
 * and SIGHUP also start a timer: if ct_signal_taken has not stopped it in time, because the screen's thread hangs in a
 * write to a terminal that does not read, the process ends by itself. */
int ct_signal_pipe(const int *signals, int count);
void ct_signal_taken(void);
/* Gives the signals back their default actions and stops the timer; SIGHUP is ignored from now on, because a terminal
 * that went away announces it twice, and what is left to do must not be cut short. */
void ct_signal_close(void);
/* Wakes whoever polls that descriptor, from any thread: writes a zero byte. */
void ct_wake(void);
