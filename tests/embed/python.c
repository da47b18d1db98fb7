/* python3 with lazycore among its built-in modules.
 *
 * Built with a sanitizer it is an interpreter in which the engine is
 * instrumented from the first instruction. Everything else is python3's own.
 */
#include <Python.h>

#include "lazycore/lazycore.h"

int
main(int argc, char **argv)
{
    if (PyImport_AppendInittab("lazycore", PyInit_lazycore) < 0)
        return 1;
    return Py_BytesMain(argc, argv);
}
