/* python3 with lazycore and `starve` built in: an allocation that fails.
 *
 * starve.arm(n) lets the n-th allocation of this thread from now on fail,
 * once: of Python in any of its domains, and of lazycore's plain C by --wrap
 * of the linker. starve.disarm() says whether it came to that. See starve.py.
 */
#include <Python.h>

#include <stdbool.h>
#include <stdlib.h>

#include "lazycore/lazycore.h"

static _Thread_local long left; /* allocations until one fails; 0: never */
static _Thread_local bool failed;

static bool
fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    failed = true;
    return true;
}

/* Python's allocators */

static PyMemAllocatorEx below[3]; /* RAW, MEM, OBJ */

static void *
starving_malloc(void *context, size_t size)
{
    const PyMemAllocatorEx *next = context;
    return fails() ? NULL : next->malloc(next->ctx, size);
}

static void *
starving_calloc(void *context, size_t count, size_t size)
{
    const PyMemAllocatorEx *next = context;
    return fails() ? NULL : next->calloc(next->ctx, count, size);
}

static void *
starving_realloc(void *context, void *old, size_t size)
{
    const PyMemAllocatorEx *next = context;
    return fails() ? NULL : next->realloc(next->ctx, old, size);
}

static void
starving_free(void *context, void *old)
{
    const PyMemAllocatorEx *next = context;
    next->free(next->ctx, old);
}

/* plain C's */

#define STARVING(result, call, parameters, arguments)                         \
    result __real_##call parameters;                                          \
    result __wrap_##call parameters;                                          \
    result __wrap_##call parameters                                           \
    {                                                                         \
        return fails() ? NULL : __real_##call arguments;                      \
    }

STARVING(void *, malloc, (size_t size), (size))
STARVING(void *, calloc, (size_t count, size_t size), (count, size))
STARVING(void *, realloc, (void *old, size_t size), (old, size))
STARVING(char *, strdup, (const char *text), (text))
STARVING(char *, strndup, (const char *text, size_t size), (text, size))

/* the module */

static PyObject *
arm(PyObject *module, PyObject *count)
{
    (void)module;
    long at = PyLong_AsLong(count);
    if (at == -1 && PyErr_Occurred())
        return NULL;
    failed = false;
    left = at;
    Py_RETURN_NONE;
}

static PyObject *
disarm(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    left = 0;
    return PyBool_FromLong(failed);
}

static PyObject *
did_fail(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    return PyBool_FromLong(failed);
}

/* In the middle of a count. */
static PyObject *
pause_count(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    long rest = left;
    left = 0;
    PyObject *result = PyLong_FromLong(rest);
    return result;
}

static PyObject *
resume_count(PyObject *module, PyObject *rest)
{
    (void)module;
    left = PyLong_AsLong(rest);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"pause", pause_count, METH_NOARGS, "Stop counting; what is left."},
    {"resume", resume_count, METH_O, "Go on with what was left."},
    {"arm", arm, METH_O, "Let the n-th allocation from now on fail."},
    {"disarm", disarm, METH_NOARGS, "Whether one did; none will."},
    {"failed", did_fail, METH_NOARGS, "Whether one did."},
    {NULL, NULL, 0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "starve",
                                 .m_methods = methods};

static PyObject *
make(void)
{
    static const PyMemAllocatorDomain domains[] = {
        PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
    for (size_t i = 0; i < 3; i++) {
        PyMemAllocatorEx ours = {&below[i], starving_malloc, starving_calloc,
                                 starving_realloc, starving_free};
        PyMem_GetAllocator(domains[i], &below[i]);
        PyMem_SetAllocator(domains[i], &ours);
    }
    return PyModule_Create(&definition);
}

int
main(int argc, char **argv)
{
    if (PyImport_AppendInittab("lazycore", PyInit_lazycore) < 0 ||
        PyImport_AppendInittab("starve", make) < 0)
        return 1;
    return Py_BytesMain(argc, argv);
}
