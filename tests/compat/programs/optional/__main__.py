"""An application with optional and conditional dependencies, fallbacks,
versions, deprecated names, circular packages, module __getattr__, lazy
exports.
"""
import sys
import warnings

import optapp
from optapp import backends, compat
from optapp.backends import default
from optapp.compat import StringIO, json, tomllib


def main():
    print(
        backends.AVAILABLE,
        default.NAME,
        compat.HAVE,
        json.__name__,
        StringIO.__module__,
        tomllib is not None,
    )
    print(
        optapp.dumps({"a": 1}),
        optapp.late,
        optapp.Circ().other().name,
        optapp.VERSION,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        print(optapp.old_name)
        from optapp import old_name
    print([str(w.message) for w in caught])
    try:
        optapp.missing
    except AttributeError as exc:
        print(exc)
    try:
        from optapp import missing
    except ImportError as exc:
        print(exc.name, "cannot import name" in str(exc))
    try:
        backends.get("broken")
    except backends.BackendError as exc:
        print(exc, type(exc.__cause__).__name__)
    print(
        backends.get("memory").NAME,
        hasattr(optapp, "heavy"),
        "heavy" in dir(optapp),
        optapp.heavy.VALUE,
    )
    print(sorted(n for n in vars(optapp) if not n.startswith("_")))
    print(sorted(n for n in sys.modules if n.startswith("optapp.backends.")))


if __name__ == "__main__":
    main()
    print("done")
