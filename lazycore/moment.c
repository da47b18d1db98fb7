/* See moment.h. */
#include "lazycore/moment.h"

#include "lazycore/engine.h"

static _Thread_local struct lz_late late;

struct lz_moment
moment_new(struct lz_engine *engine)
{
    struct lz_moment moment = late.moment;
    if (late.depth == 0)
        moment.at[0] = ++engine->moments;
    else if (late.depth < LZ_MOMENT_DEPTH)
        moment.at[late.depth] = ++late.count;
    return moment;
}

struct lz_moment
moment_now(const struct lz_engine *engine)
{
    struct lz_moment moment = late.moment;
    if (late.depth == 0)
        moment.at[0] = engine->moments + 1;
    else if (late.depth < LZ_MOMENT_DEPTH)
        moment.at[late.depth] = late.count + 1;
    return moment;
}

int
moment_compare(struct lz_moment moment, struct lz_moment other)
{
    int i = 0;
    while (i < LZ_MOMENT_DEPTH - 1 && moment.at[i] == other.at[i])
        i++;
    return (moment.at[i] > other.at[i]) - (moment.at[i] < other.at[i]);
}

struct lz_moment
moment_until_now(const struct lz_engine *engine, struct lz_moment moment)
{
    struct lz_moment now = moment_now(engine);
    return moment_compare(now, moment) < 0 ? now : moment;
}

static struct lz_late
begin(struct lz_moment moment)
{
    struct lz_late saved = late;
    late = (struct lz_late){.moment = moment};
    while (late.depth < LZ_MOMENT_DEPTH && moment.at[late.depth] != 0)
        late.depth++;
    return saved;
}

struct lz_late
moment_enter(const struct lz_engine *engine, struct lz_moment moment)
{
    return begin(moment_until_now(engine, moment));
}

struct lz_late
moment_enter_now(void)
{
    return begin((struct lz_moment){{0}});
}

void
moment_leave(struct lz_late saved)
{
    late = saved;
}
