/* Interned strings that the engine uses all the time. */
#ifndef LAZYCORE_ENGINE_NAMES_H
#define LAZYCORE_ENGINE_NAMES_H

#include <Python.h>

struct lz_names {
    PyObject *name, *path, *spec, *package, *file, *all, *getattr, *dict;
    PyObject *parent, *origin, *loader, *has_location, *initializing;
    PyObject *name_attr;    /* "name" */
    PyObject *private_name; /* "_name" */
    PyObject *search_locations, *find_spec;
    PyObject *path_attr, *path_mtime, *path_cache, *loaders; /* FileFinder */
    PyObject *meta_path, *path_importer_cache;               /* sys */
    PyObject *origin_keyword;                                /* ("origin",) */
    PyObject *threading, *threading_active, *warnings, *_warnings, *filters;
    PyObject *modules; /* "modules" */
};

#endif
