/* See charge.h.
 *
 * What usage.h tells of a load at its end may be corrected by the next reading
 * on the same thread, some milliseconds later: until then those that have
 * ended are kept, and then the registry hears of them once more. What each
 * took with the loads in it stays the sum of what each of them took alone.
 */
#include "lazycore/charge.h"
#include "lazycore/engine.h"

#include <math.h>

enum { ENDED_MAX = 256, PAGE_BYTES = 4096, PAGE_BLOCKS = 64 };

/* Its address tells threads apart. */
static _Thread_local char this_thread;

static void
add_ended(struct lz_charges *ended, struct lz_charge *charge)
{
    if (ended->last == NULL)
        ended->first = charge;
    else
        ended->last->next = charge;
    ended->last = charge;
    ended->count++;
}

/* Take those of THREAD, or of all (NULL), out of the list: linked, in order,
 * as in it. */
static struct lz_charge *
take_ended(struct lz_charges *ended, const void *thread)
{
    struct lz_charge *taken = NULL, **end = &taken;
    struct lz_charge *charge = ended->first, *next;
    ended->first = ended->last = NULL;
    ended->count = 0;
    for (; charge != NULL; charge = next) {
        next = charge->next;
        charge->next = NULL;
        if (thread == NULL || charge->thread == thread) {
            *end = charge;
            end = &charge->next;
        } else {
            add_ended(ended, charge);
        }
    }
    return taken;
}

static void
free_all(struct lz_charge *charge)
{
    while (charge != NULL) {
        struct lz_charge *next = charge->next;
        PyMem_RawFree(charge);
        charge = next;
    }
}

void
charges_done(struct lz_engine *engine)
{
    free_all(take_ended(&engine->ended, NULL));
    free_all(engine->ended.spare);
    engine->ended.spare = NULL;
}

/* One that is used up serves again: a load takes less time than it takes to
 * find memory of that size. At most as many as were in the list. */
static void
spare(struct lz_charges *ended, struct lz_charge *charge)
{
    charge->next = ended->spare;
    ended->spare = charge;
}

static struct lz_charge *
new_charge(struct lz_charges *ended)
{
    struct lz_charge *charge = ended->spare;
    if (charge == NULL)
        return PyMem_RawCalloc(1, sizeof(*charge));
    ended->spare = charge->next;
    *charge = (struct lz_charge){0};
    return charge;
}

/* Add to SUM, or take from it, what CHARGE comes to. */
static void
sum_up(struct lz_usage *sum, const struct lz_charge *charge, int sign)
{
    const struct lz_usage *start = &charge->start, *end = &charge->end;
    if (sign > 0)
        sum->wall_ns += end->wall_ns - start->wall_ns;
    else
        sum->wall_ns -= end->wall_ns - start->wall_ns;
    for (int i = 0; i < LZ_GAUGES; i++)
        sum->used[i] += sign * (end->used[i] - start->used[i]);
}

static uint64_t
positive(int64_t number)
{
    return number > 0 ? (uint64_t)number : 0;
}

static void
fill(const struct lz_charge *charge, struct lz_load *ret)
{
    struct lz_usage all = {0};
    sum_up(&all, charge, 1);
    const int64_t *used = all.used, *nested = charge->nested.used;
    ret->started_ns = charge->start.wall_ns;
    ret->wall_ns = all.wall_ns;
    ret->wall_self_ns =
        positive((int64_t)(all.wall_ns - charge->nested.wall_ns));
    ret->cpu_ns = positive(used[LZ_GAUGE_CPU_NS]);
    ret->cpu_self_ns =
        positive(used[LZ_GAUGE_CPU_NS] - nested[LZ_GAUGE_CPU_NS]);
    ret->bytes = used[LZ_GAUGE_BYTES];
    ret->bytes_self = used[LZ_GAUGE_BYTES] - nested[LZ_GAUGE_BYTES];
    ret->blocks = used[LZ_GAUGE_BLOCKS];
    ret->blocks_self = used[LZ_GAUGE_BLOCKS] - nested[LZ_GAUGE_BLOCKS];
}

static void
correct_ended(struct lz_engine *engine, struct lz_charge *charge,
              const struct lz_correction *correction)
{
    struct lz_load load = {0};
    if (charge->outer != NULL)
        sum_up(&charge->outer->nested, charge, -1);
    usage_correct(&charge->start, correction);
    usage_correct(&charge->end, correction);
    if (charge->outer != NULL) {
        sum_up(&charge->outer->nested, charge, 1);
        charge->outer->renested = true;
    }
    fill(charge, &load);
    if (charge->entry != NULL)
        registry_cost(engine->core->registry, charge->entry, &load);
}

/* Whether it changes what CHARGE was told by as much as can be read: by a
 * page, or by an eighth of its CPU time. Most loads are told rightly, and the
 * registry's lines are out of the processor's caches by now. */
static bool
matters(const struct lz_charge *charge, const struct lz_correction *correction)
{
    const struct lz_usage *start = &charge->start, *end = &charge->end;
    uint64_t since_ns = correction->since_ns > start->wall_ns
                            ? correction->since_ns
                            : start->wall_ns;
    if (end->wall_ns <= since_ns)
        return false;
    double ns = (double)(end->wall_ns - since_ns);
    const double *rates = correction->rates;
    return fabs(rates[LZ_GAUGE_BYTES]) * ns >= PAGE_BYTES ||
           fabs(rates[LZ_GAUGE_BLOCKS]) * ns >= PAGE_BLOCKS ||
           fabs(rates[LZ_GAUGE_CPU_NS]) >= 1. / 8;
}

/* All that was told on this thread since the last readings. OPEN is the
 * innermost load that goes on. */
static void
correct(struct lz_engine *engine, struct lz_charge *open,
        const struct lz_correction *correction)
{
    if (correction->since_ns == 0)
        return;
    for (; open != NULL; open = open->outer)
        usage_correct(&open->start, correction);
    struct lz_charge *ended = take_ended(&engine->ended, &this_thread), *next;
    for (struct lz_charge *charge = ended; charge != NULL; charge = next) {
        next = charge->next;
        if (charge->renested || matters(charge, correction))
            correct_ended(engine, charge, correction);
        spare(&engine->ended, charge);
    }
}

struct lz_charge *
charge_begin(struct lz_engine *engine, struct lz_charge *outer)
{
    struct lz_correction correction;
    struct lz_charge *charge = engine->rule_off[LZ_RULE_ACCOUNTING]
                                   ? NULL
                                   : new_charge(&engine->ended);
    if (charge == NULL)
        return NULL;
    charge->outer = outer;
    charge->thread = &this_thread;
    usage_read(engine, outer == NULL, &charge->start, &correction);
    correct(engine, outer, &correction);
    return charge;
}

void
charge_end(struct lz_engine *engine, struct lz_charge *charge,
           struct lz_charge *inner, struct lz_load *ret)
{
    struct lz_correction correction;
    if (charge == NULL)
        return;
    if (inner != NULL)
        inner->outer = charge->outer;
    usage_read(engine, false, &charge->end, &correction);
    correct(engine, charge, &correction);
    fill(charge, ret);
    if (charge->outer != NULL)
        sum_up(&charge->outer->nested, charge, 1);
}

void
charge_told(struct lz_engine *engine, struct lz_charge *charge,
            struct lz_registry_entry *entry)
{
    struct lz_charges *ended = &engine->ended;
    if (charge == NULL)
        return;
    charge->entry = entry;
    add_ended(ended, charge);
    if (ended->count <= ENDED_MAX)
        return;
    struct lz_charge *oldest = ended->first;
    ended->first = oldest->next;
    ended->count--;
    spare(ended, oldest);
}
