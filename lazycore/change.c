/* Changes that the service makes by itself: its host hears of each.
 *
 * Those that the host asks for are its own to tell. Needs the GIL.
 */
#include "lazycore/api.h"
#include "lazycore/sources.h"

static bool
is_heard(struct lz_engine *engine)
{
    return engine->core->listener.changed != NULL;
}

static void
tell(struct lz_engine *engine, struct lz_change *change)
{
    const struct lz_listener *listener = &engine->core->listener;
    PyObject *error = lz_take_error();
    char thread[64];
    place_thread_name(engine, thread, sizeof(thread));
    change->thread = thread;
    listener->changed(listener->arg, change);
    lz_raise(error);
}

void
change_rule(struct lz_engine *engine, const char *what, const char *kind,
            const char *subject, const char *value)
{
    struct lz_change change = {
        .what = what, .kind = kind, .subject = subject, .value = value};
    if (is_heard(engine))
        tell(engine, &change);
}

static void
tell_reload(struct lz_engine *engine, const char *what,
            const struct lz_reload_result *result, const char *together)
{
    struct lz_change change = {
        .what = what,
        .subject = result->name,
        .verdict = lz_verdict_string(result->verdict),
        .old_hash = result->old_hash,
        .new_hash = result->new_hash,
        .pause_ns = result->pause_ns,
        .wall_ns = result->wall_ns,
        .together = together,
    };
    tell(engine, &change);
}

void
change_reload(struct lz_engine *engine, const char *what,
              const struct lz_reload_result *result)
{
    if (!is_heard(engine))
        return;
    tell_reload(engine, what, result, NULL);
    for (size_t i = 0; i < result->other_count; i++)
        tell_reload(engine, what, &result->others[i], result->name);
}

/* The hash of what importlib has just read: of the file that the spec NAMEs.
 */
static uint64_t
hash_of_spec(struct lz_engine *engine, PyObject *spec)
{
    PyObject *origin = lz_get_optional(spec, engine->names.origin);
    PyObject *path = NULL;
    uint64_t hash = 0;
    if (origin != NULL && PyUnicode_Check(origin) &&
        PyUnicode_FSConverter(origin, &path)) {
        const char *text = PyBytes_AS_STRING(path);
        Py_BEGIN_ALLOW_THREADS hash = source_hash_file(text);
        Py_END_ALLOW_THREADS
    }
    lz_forgive();
    Py_XDECREF(path);
    Py_XDECREF(origin);
    return hash;
}

struct lz_change_reload
change_begin(struct lz_engine *engine, PyObject *spec)
{
    struct lz_change_reload reload = {0};
    struct lz_source source;
    if (!is_heard(engine) || spec == NULL)
        return reload;
    reload.name = lz_get_optional(spec, engine->names.name_attr);
    const char *text = reload.name == NULL ? NULL : place_text(reload.name);
    if (text != NULL && sources_get(engine->core->sources, text, &source))
        reload.old_hash = source.hash;
    lz_forgive();
    return reload;
}

void
change_end(struct lz_engine *engine, PyObject *spec,
           struct lz_change_reload *reload)
{
    PyObject *error = lz_take_error();
    const char *text = reload->name == NULL ? NULL : place_text(reload->name);
    if (text != NULL && is_heard(engine)) {
        struct lz_change change = {
            .what = "importlib.reload",
            .subject = text,
            .verdict = lz_verdict_string(error == NULL ? LZ_VERDICT_APPLIED
                                                       : LZ_VERDICT_FAILED),
            .old_hash = reload->old_hash,
            .new_hash = hash_of_spec(engine, spec),
        };
        tell(engine, &change);
    }
    lz_forgive();
    Py_CLEAR(reload->name);
    lz_raise(error);
}
