/* Looking a module up in the record of effects. Plain C; any thread. */
#include "lazycore/effects.h"

#include <string.h>

int
effects_find(const char *name)
{
    unsigned low = 0, high = lz_effects_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = strcmp(name, lz_effects_names + lz_effects[middle].name);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}
