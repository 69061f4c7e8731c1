/*
 * Drawing through ncursesw.
 *
 * ncurses compares what we draw with what the terminal shows and sends the difference; it also knows hundreds of
 * terminals. Writing the sequences ourselves would be less code for xterm and none for the rest.
 */
#define _GNU_SOURCE
#define NCURSES_WIDECHAR 1
#include "CTerminal.h"
#include "Internal.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static SCREEN *screen;
static int colors;
static int uses_extensions;
static int cursor_is_shown = -1;

/* ---- Colour pairs ----
 *
 * ncurses wants each combination of two colours numbered before it is used. They are numbered as they come, in a hash
 * table with open addressing. When the numbers run out on a terminal with many, all start anew and the caller draws
 * everything again; on one with few (64 with eight colours) the background is left out instead, because starting anew
 * on every frame would flicker. */

enum { TABLE_SIZE = 1 << 15, PAIRS_MAX = TABLE_SIZE / 2, FEW_PAIRS = 256 };

static struct pair { int32_t foreground, background; int number; } table[TABLE_SIZE];
static int next_pair = 1;
static int lost_colors;

static void forget_pairs(void) {
  memset(table, 0, sizeof table);
  next_pair = 1;
}

static int pair_number(int32_t foreground, int32_t background) {
  if (colors == 0 || (foreground < 0 && background < 0)) return 0;
  uint32_t hash = (uint32_t)foreground * 2654435761u ^ (uint32_t)background * 2246822519u;
  uint32_t at = (hash ^ hash >> 15) % TABLE_SIZE;
  while (table[at].number) {
    if (table[at].foreground == foreground && table[at].background == background) return table[at].number;
    at = (at + 1) % TABLE_SIZE;
  }
  int limit = COLOR_PAIRS < PAIRS_MAX ? COLOR_PAIRS : PAIRS_MAX;
  if (next_pair >= limit) {
    if (limit <= FEW_PAIRS) return background < 0 ? 0 : pair_number(foreground, -1);
    forget_pairs();
    lost_colors = 1;
    return pair_number(foreground, background);
  }
  table[at] = (struct pair){foreground, background, next_pair};
  init_extended_pair(next_pair, foreground, background);
  return next_pair++;
}

int ct_lost_colors(void) {
  int lost = lost_colors;
  lost_colors = 0;
  return lost;
}

/* ---- Taking and giving back ---- */

int ct_set_locale(void) {
  if (!setlocale(LC_ALL, "")) setlocale(LC_CTYPE, "C.UTF-8");
  return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void send(const char *sequence) {
  size_t left = strlen(sequence);
  while (left) {
    ssize_t written = write(STDOUT_FILENO, sequence, left);
    if (written <= 0) return;
    sequence += written;
    left -= (size_t)written;
  }
}

void ct_use_extensions(int on) {
  if (uses_extensions == on) return;
  uses_extensions = on;
  send(on ? "\033[?2004h" : "\033[?2004l");
}

void ct_use_mouse(int on) {
  /* No waiting for a second click: each press is one. */
  mouseinterval(0);
  mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

static void set_modes(void) {
  raw();
  noecho();
  nonl();
  leaveok(stdscr, FALSE);
  intrflush(stdscr, FALSE);
  /* Keys are read and decoded by the caller; ncurses only has the terminal send what its terminfo entry says. */
  keypad(stdscr, TRUE);
  /* A frame that stopped half-way because a key came would be seen. */
  typeahead(-1);
}

static void start_colors(void) {
  colors = 0;
  if (!has_colors()) return;
  start_color();
  use_default_colors();
  colors = tigetflag("RGB") > 0 ? 1 << 24 : COLORS;
}

enum ct_open_result ct_open(const char *term, const char *direct_terminfo) {
  if (direct_terminfo) setenv("TERMINFO", direct_terminfo, 1);
  screen = newterm(term, stdout, stdin);
  /* Commands that we start must not inherit a terminfo entry that only we understand. */
  if (direct_terminfo) unsetenv("TERMINFO");
  if (!screen) return CT_UNKNOWN_TERMINAL;
  set_term(screen);
  const char *cup = tigetstr("cup");
  if (!cup || cup == (const char *)-1) {
    endwin();
    delscreen(screen);
    screen = NULL;
    return CT_NO_CURSOR_MOVEMENT;
  }
  set_modes();
  start_colors();
  ct_guard_arm(1);
  return CT_OPENED;
}

void ct_close(void) {
  if (!screen) return;
  ct_use_extensions(0);
  curs_set(1);
  endwin();
  delscreen(screen);
  screen = NULL;
  ct_guard_arm(0);
}

const char *ct_key_sequence(const char *capability) {
  const char *sequence = tigetstr(capability);
  return sequence == (const char *)-1 ? NULL : sequence;
}

int ct_color_count(void) { return colors; }

/* ---- Size ---- */

int ct_width(void) { return COLS; }
int ct_height(void) { return LINES; }

int ct_adopt_size(void) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row == 0 || size.ws_col == 0) return 0;
  if (size.ws_col == COLS && size.ws_row == LINES) return 0;
  resizeterm(size.ws_row, size.ws_col);
  return 1;
}

/* ---- Drawing ---- */

static attr_t attributes(uint8_t ours) {
  attr_t result = A_NORMAL;
  if (ours & CT_BOLD) result |= A_BOLD;
  if (ours & CT_DIM) result |= A_DIM;
  if (ours & CT_REVERSE) result |= A_REVERSE;
  if (ours & CT_UNDERLINE) result |= A_UNDERLINE;
  return result;
}

static cchar_t blank(const ct_cell *cell) {
  cchar_t result;
  memset(&result, 0, sizeof result);
  result.attr = attributes(cell->attributes);
  result.ext_color = pair_number(cell->foreground, cell->background);
  result.chars[0] = L' ';
  return result;
}

/* A mark that the C library gives a width of its own would shift the rest of the row. */
static void add_marks(cchar_t *to, const ct_cell *cell) {
  int used = 1;
  for (int i = 0; i < 4 && cell->marks[i] && used < CCHARW_MAX; i++)
    if (wcwidth((wchar_t)cell->marks[i]) == 0) to->chars[used++] = (wchar_t)cell->marks[i];
}

void ct_draw(int row, int column, const ct_cell *cells, int count) {
  enum { BATCH = 128 };
  cchar_t batch[BATCH + 1];
  int used = 0, width = 0;
  for (int i = 0; i < count; i++) {
    cchar_t next = blank(&cells[i]);
    int agrees = cells[i].scalar < 0x7f || wcwidth((wchar_t)cells[i].scalar) == cells[i].columns;
    if (agrees) next.chars[0] = (wchar_t)cells[i].scalar;
    if (agrees) add_marks(&next, &cells[i]);
    batch[used++] = next;
    if (!agrees && cells[i].columns == 2) batch[used++] = next;
    width += cells[i].columns;
    if (used >= BATCH - 1 || i + 1 == count) {
      mvwadd_wchnstr(stdscr, row, column, batch, used);
      column += width;
      used = width = 0;
    }
  }
}

static void show_cursor(int shown) {
  if (cursor_is_shown == shown) return;
  cursor_is_shown = shown;
  curs_set(shown);
}

void ct_present(int column, int row) {
  /* Another thread may have crashed and given the terminal back: nothing of ours belongs on it any more. */
  if (!screen || !ct_guard_is_armed()) return;
  if (uses_extensions) send("\033[?2026h");
  if (column >= 0) wmove(stdscr, row, column);
  wnoutrefresh(stdscr);
  doupdate();
  show_cursor(column >= 0);
  if (uses_extensions) send("\033[?2026l");
}

void ct_repaint(void) {
  if (screen) clearok(curscr, TRUE);
}

/* ---- Stopping ---- */

void ct_resume(void) {
  if (!screen) return;
  reset_prog_mode();
  ct_guard_arm(1);
  ct_adopt_size();
  clearok(curscr, TRUE);
  touchwin(stdscr);
  wnoutrefresh(stdscr);
  doupdate();
  cursor_is_shown = -1;
}

void ct_suspend(void) {
  if (!screen) return;
  int extensions = uses_extensions;
  ct_use_extensions(0);
  curs_set(1);
  endwin();
  ct_guard_arm(0);
  ct_stop_process_group();
  ct_resume();
  ct_use_extensions(extensions);
}
