/* How modules hang together: what brought one in, and what it brought.
 *
 * Read from the registry's records alone, by the load that each was nested in
 * and by the files of statements and triggers. Any thread, no GIL.
 */
#ifndef LAZYCORE_REGISTRY_TREE_H
#define LAZYCORE_REGISTRY_TREE_H

#include "lazycore/registry.h"

/* How a step of a chain brought the next one. LZ_LINK(identifier, string,
 * meaning) */
#define LZ_LINK_TABLE(LZ_LINK)                                                \
    LZ_LINK(NONE, "none", "nothing before it is known")                       \
    LZ_LINK(LOAD, "load", "loaded while the body of the one before ran")      \
    LZ_LINK(USE, "use", "loaded by code of the one before")                   \
    LZ_LINK(STATEMENT, "statement", "imported lazily by the one before")

enum lz_link {
#define LZ_LINK(id, string, meaning) LZ_LINK_##id,
    LZ_LINK_TABLE(LZ_LINK)
#undef LZ_LINK
        LZ_LINKS
};

const char *lz_link_string(enum lz_link link);

enum { LZ_CHAIN_MAX = 256 }; /* steps; the last ones are kept */

struct lz_chain {
    struct lz_module *modules; /* from the service's first statement down */
    enum lz_link *links;       /* of each to the one before it */
    size_t count;
    bool cut; /* there were more */
};

/* What led to NAME: 1 and a chain that ends with it, 0 unknown, -ENOMEM. */
int registry_chain(struct lz_registry *registry, const char *name,
                   struct lz_chain *ret_chain);
/* Accepts an empty one. */
void registry_chain_done(struct lz_chain *chain);

struct lz_context {
    char *statement_module; /* whose file has the statement, or NULL */
    char *trigger_module;   /* whose file has the trigger, or NULL */
    /* Loaded while its body ran, by it and by no load in between, in order of
     * loading; at most as many as were asked for. */
    struct lz_module *children;
    size_t child_count;
    uint64_t child_total;
    uint64_t pulled;  /* the children, theirs, and so on */
    uint64_t waiting; /* proxies that its statements made and that still are */
};

/* What is around NAME: 1, 0 unknown, -ENOMEM. */
int registry_context(struct lz_registry *registry, const char *name,
                     size_t limit, struct lz_context *ret_context);
/* Accepts an empty one. */
void registry_context_done(struct lz_context *context);

#endif
