/* What bytecode.c and bytecode_uses.c share: a walk over instructions.
 *
 * Stays within the bytes it is given. Needs the GIL where a PyObject appears.
 */
#ifndef LAZYCORE_BYTECODE_PRIVATE_H
#define LAZYCORE_BYTECODE_PRIVATE_H

#include <limits.h>

#include "lazycore/bytecode.h"
#include "lazycore/compat.h"

enum { UNIT = 2 };

/* A walk over instructions, with EXTENDED_ARG folded in. */
struct cursor {
    const unsigned char *code;
    size_t size;
    size_t next; /* byte offset of the unit after the current one */
    int opcode;
    int oparg;
};

static inline bool
cursor_step(struct cursor *cursor)
{
    unsigned extended = 0;
    for (;;) {
        if (cursor->next + UNIT > cursor->size)
            return false;
        int opcode = cursor->code[cursor->next];
        unsigned oparg = extended << 8 | cursor->code[cursor->next + 1];
        cursor->next += UNIT;
        if (opcode == EXTENDED_ARG) {
            extended = oparg & 0xffffffu;
            continue;
        }
        cursor->opcode = opcode;
        cursor->oparg = (int)(oparg & INT_MAX);
        return true;
    }
}

/* The next real instruction: inline cache entries are stepped over. */
static inline bool
cursor_step_real(struct cursor *cursor)
{
    while (cursor_step(cursor)) {
        if (cursor->opcode != CACHE)
            return true;
    }
    return false;
}

/* Whether NAME, which may be NULL, is TEXT. */
static inline bool
is_called(PyObject *name, const char *text)
{
    return name != NULL && PyUnicode_CompareWithASCIIString(name, text) == 0;
}

/* Item INDEX of the tuple NAMES: borrowed, or NULL. */
static inline PyObject *
name_at(PyObject *names, int index)
{
    if (index < 0 || index >= PyTuple_GET_SIZE(names))
        return NULL;
    return PyTuple_GET_ITEM(names, index);
}

/* Code in code in code: of what is nested deeper nothing is read. */
enum { BYTECODE_NESTING_MAX = 64 };

/* Add ITEM, a constant, to SET if it is a string, else those in a tuple. */
int bytecode_add_strings(PyObject *set, PyObject *item);

/* Whether a loop is over what is on the stack at CURSOR, a dict, or over its
 * items, values or keys. */
bool bytecode_is_looped(struct cursor cursor, PyObject *names);
/* bytecode_lists_names() of CODE. */
bool bytecode_code_lists(PyCodeObject *code);

/* Whether the handler at TARGET only leaves another handler. */
bool bytecode_leaves_handler(const unsigned char *code, size_t size,
                             int target);

/* The entry of an exception table at *AT, which goes on behind it: they are in
 * the order of what they are for. False: there is none. */
bool bytecode_next_handler(const unsigned char *table, size_t size, size_t *at,
                           struct lz_handler *ret);

#endif
