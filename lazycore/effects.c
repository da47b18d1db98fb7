/* Looking a module up in the record of effects. Plain C; any thread. */
#include "lazycore/effects.h"

#include <string.h>

static bool
is_of(unsigned index, const char *name)
{
    return strcmp(name, lz_effects_names + lz_effects[index].name) == 0;
}

int
effects_find(const char *name)
{
    unsigned low = 0, high = lz_effects_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (strcmp(name, lz_effects_names + lz_effects[middle].name) <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low < lz_effects_count && is_of(low, name) ? (int)low : -1;
}

int
effects_find_next(unsigned index)
{
    const char *name = lz_effects_names + lz_effects[index].name;
    return index + 1 < lz_effects_count && is_of(index + 1, name)
               ? (int)(index + 1)
               : -1;
}
