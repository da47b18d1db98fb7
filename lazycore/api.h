/* What the Python module lazycore is made of: functions and live views.
 *
 * Private to lazycore; all of it needs the GIL.
 */
#ifndef LAZYCORE_API_H
#define LAZYCORE_API_H

#include "lazycore/engine.h"

/* view.c */
extern PyType_Spec lz_set_spec;
PyObject *view_iter(PyObject *self);
/* Add the live views to MODULE. */
int views_add(PyObject *module, struct lz_engine *engine);

/* verify.c */
PyObject *api_verify(PyObject *module, PyObject *argument);

/* module_lock.c */
/* importlib._bootstrap._ModuleLockManager.__enter__ */
PyObject *module_lock_enter(PyObject *module, PyObject *manager);
/* importlib._bootstrap._lock_unlock_module */
PyObject *module_lock_pass(PyObject *module, PyObject *name);
int module_lock_install(struct lz_engine *engine);
int module_lock_uninstall(struct lz_engine *engine);

/* change.c: the host hears of what the service changes. Each leaves no
 * exception and keeps one that is set. */
/* As the fields of struct lz_change. */
void change_rule(struct lz_engine *engine, const char *what, const char *kind,
                 const char *subject, const char *value);
/* WHAT is "reload" or "rollback". */
void change_reload(struct lz_engine *engine, const char *what,
                   const struct lz_reload_result *result);

/* Around importlib.reload() of the module of SPEC, which may be NULL; it has
 * failed where an exception is set at the end. */
struct lz_change_reload {
    PyObject *name; /* strong */
    uint64_t old_hash;
};
struct lz_change_reload change_begin(struct lz_engine *engine, PyObject *spec);
void change_end(struct lz_engine *engine, PyObject *spec,
                struct lz_change_reload *reload);

/* warm.c */
PyObject *warm_ready(PyObject *module, PyObject *unused);

/* rehearse_threads.c: NOTE hears the name of each thread that Python code
 * starts from now on, in a rehearsal. */
void rehearse_watch_threads(void (*note)(void *arg, const char *name),
                            void *arg);

/* rehearse_python.c */
PyObject *api_rehearse(PyObject *module, PyObject *args, PyObject *kwargs);

/* api_reload.c */
PyObject *api_reload(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *api_rollback(PyObject *module, PyObject *what);

/* api_threads.c */
PyObject *api_threads(PyObject *module, PyObject *unused);

/* api.c: functions of the Python module */
PyObject *api_pending(PyObject *module, PyObject *argument);
PyObject *api_load(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *api_inject(PyObject *module, PyObject *unused);
PyObject *api_ignore_module(PyObject *module, PyObject *args,
                            PyObject *kwargs);
PyObject *api_stats(PyObject *module, PyObject *unused);
PyObject *api_getattr(PyObject *module, PyObject *name);
PyObject *api_show(PyObject *module, PyObject *argument);
PyObject *api_level(PyObject *module, PyObject *args);
PyObject *api_rule(PyObject *module, PyObject *args);
PyObject *api_explain_level(PyObject *module, PyObject *argument);

#endif
