/* See record_row.h. */
#include "lazycore/record_row.h"

#include "lazycore/effects.h"

unsigned
record_count(const struct lz_engine *engine)
{
    return lz_effects_count + ledger_count(engine->core->ledger);
}

struct lz_row
record_row(const struct lz_engine *engine, unsigned index)
{
    if (index < lz_effects_count) {
        const struct lz_effects *module = &lz_effects[index];
        return (struct lz_row){lz_effects_names + module->name,
                               module->bytes,
                               0,
                               module->count,
                               module->package,
                               module->free,
                               module->sure};
    }
    const struct lz_ledger_row *module =
        ledger_row(engine->core->ledger, index - lz_effects_count);
    return (struct lz_row){module->name,  module->bytes,   module->hash,
                           module->count, module->package, module->free,
                           false};
}

unsigned
record_import(const struct lz_engine *engine, unsigned index, unsigned which)
{
    if (index < lz_effects_count)
        return lz_effects_imports[lz_effects[index].imports + which];
    return lz_effects_count +
           ledger_row(engine->core->ledger, index - lz_effects_count)
               ->imports[which];
}

int
record_find(const struct lz_engine *engine, const char *name)
{
    int own = ledger_find(engine->core->ledger, name);
    return own >= 0 ? (int)lz_effects_count + own : effects_find(name);
}

int
record_next(unsigned index)
{
    return index < lz_effects_count ? effects_find_next(index) : -1;
}
