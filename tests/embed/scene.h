/* One Python script run in interpreters of a forked child.
 *
 * Responsible for the child, its folder, the lives of its interpreter and for
 * what came of it. Leaves to the scripts what the engine must do. The child
 * must end with status 0 and have nothing to say on stderr: a sanitizer's
 * report, an exception that Python could only print, both fail the test.
 */
#ifndef TESTS_EMBED_SCENE_H
#define TESTS_EMBED_SCENE_H

#include "lazycore/core.h"

struct scene {
    const char *script; /* a file of this folder */
    unsigned lives;     /* interpreters, one after the other */
    /* Around the script, with the GIL; NULL or 0 for success. */
    int (*begin)(struct lz_core *core);
    int (*end)(struct lz_core *core);
    /* Once Python has ended and before CORE goes; NULL or 0 for success. */
    int (*after)(struct lz_core *core);
    /* A file that must be in the child's folder at its end; may be NULL. */
    const char *leaves;
};

/* Fails the cmocka test that runs where the scene goes wrong. */
void scene_run(const struct scene *scene);

#endif
