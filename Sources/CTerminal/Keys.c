/*
 * Key presses, from what a terminal sends for them.
 *
 * ncurses knows the sequences in the terminal's terminfo entry. The few that most terminals send and many entries lack
 * are defined here; whatever else begins with Esc is Alt with a character, or a sequence to swallow whole, so that an
 * unknown key types nothing.
 */
#define _GNU_SOURCE
#define NCURSES_WIDECHAR 1
#include "CTerminal.h"
#include "CursesInput.h"

/* Above ncurses' own codes, including those it makes for extended names. */
enum { OWN_CODES = 0x2000 };

void ct_define_keys(void) {
  static const struct { const char *sequence; enum ct_key_name name; } keys[] = {
    {"\033[200~", CT_KEY_PASTE_START}, {"\033[201~", CT_KEY_PASTE_END},
    {"\033[1;5D", CT_KEY_WORD_LEFT}, {"\033[1;5C", CT_KEY_WORD_RIGHT},
    {"\033[1;3D", CT_KEY_WORD_LEFT}, {"\033[1;3C", CT_KEY_WORD_RIGHT},
    {"\033[H", CT_KEY_HOME}, {"\033[F", CT_KEY_END}, {"\033OH", CT_KEY_HOME}, {"\033OF", CT_KEY_END},
    {"\033[1~", CT_KEY_HOME}, {"\033[4~", CT_KEY_END},
    {"\033[A", CT_KEY_UP}, {"\033[B", CT_KEY_DOWN}, {"\033[C", CT_KEY_RIGHT}, {"\033[D", CT_KEY_LEFT},
    {"\033[Z", CT_KEY_BACK_TAB}, {"\033[3~", CT_KEY_DELETE},
    {"\033[11~", CT_KEY_F1}, {"\033[[A", CT_KEY_F1},
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) define_key(keys[i].sequence, OWN_CODES + (int)keys[i].name);
}

static ct_key named(uint32_t name) { return (ct_key){CT_NAMED, name, 0, 0}; }

static ct_key mouse(void) {
  MEVENT event;
  if (getmouse(&event) != OK) return named(0);
  if (event.bstate & BUTTON4_PRESSED) return (ct_key){CT_MOUSE, CT_MOUSE_WHEEL_UP, event.x, event.y};
  if (event.bstate & BUTTON5_PRESSED) return (ct_key){CT_MOUSE, CT_MOUSE_WHEEL_DOWN, event.x, event.y};
  if (event.bstate & BUTTON1_PRESSED) return (ct_key){CT_MOUSE, CT_MOUSE_PRESS, event.x, event.y};
  return named(0);
}

static ct_key from_code(int code) {
  if (code > OWN_CODES) return named((uint32_t)(code - OWN_CODES));
  if (code >= KEY_F(1) && code <= KEY_F(12)) return named(CT_KEY_F1 + (uint32_t)(code - KEY_F(1)));
  switch (code) {
    case KEY_UP: return named(CT_KEY_UP);
    case KEY_DOWN: return named(CT_KEY_DOWN);
    case KEY_LEFT: return named(CT_KEY_LEFT);
    case KEY_RIGHT: return named(CT_KEY_RIGHT);
    case KEY_HOME: return named(CT_KEY_HOME);
    case KEY_END: return named(CT_KEY_END);
    case KEY_PPAGE: return named(CT_KEY_PAGE_UP);
    case KEY_NPAGE: return named(CT_KEY_PAGE_DOWN);
    case KEY_DC: return named(CT_KEY_DELETE);
    case KEY_BACKSPACE: return named(CT_KEY_BACKSPACE);
    case KEY_ENTER: return named(CT_KEY_ENTER);
    case KEY_MOUSE: return mouse();
    case KEY_BTAB: return named(CT_KEY_BACK_TAB);
    default: return named(0);
  }
}

static int read_scalar(wint_t *scalar) { return wget_wch(ct_input, scalar) == OK; }

/* A control sequence ends with its first character from @ to ~. */
static void swallow_sequence(void) {
  wint_t scalar;
  for (int i = 0; i < 32 && read_scalar(&scalar); i++)
    if (scalar >= 0x40 && scalar <= 0x7e) return;
}

ct_key ct_read_key(void) {
  wint_t scalar = 0;
  switch (wget_wch(ct_input, &scalar)) {
    case KEY_CODE_YES: return from_code((int)scalar);
    case OK: break;
    default: return (ct_key){CT_NONE, 0, 0, 0};
  }
  if (scalar != 27) return (ct_key){CT_SCALAR, scalar, 0, 0};
  wint_t next = 0;
  switch (wget_wch(ct_input, &next)) {
    case OK: break;
    case KEY_CODE_YES: return from_code((int)next);
    default: return (ct_key){CT_SCALAR, 27, 0, 0};
  }
  if (next == '[' || next == 'O') {
    swallow_sequence();
    return named(0);
  }
  return (ct_key){CT_ALT_SCALAR, next, 0, 0};
}
