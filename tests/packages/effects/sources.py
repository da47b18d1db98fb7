"""The source files of a top-level package that Debian installed."""
import os

D = "/usr/lib/python3/dist-packages"
SKIP = {"tests", "__pycache__", "_tests", "benchmarks"}


def modules(top):
    p = os.path.join(D, top)
    out = []
    if os.path.isfile(p + ".py"):
        return [top]
    for root, dirs, files in os.walk(p):
        dirs[:] = sorted(d for d in dirs if d not in SKIP and d.isidentifier())
        if root != p and "__init__.py" not in files:
            pass
        rel = os.path.relpath(root, D).replace("/", ".")
        for f in sorted(files):
            if f == "__init__.py":
                out.append(rel)
            elif (
                f.endswith(".py")
                and f not in ("__main__.py", "conftest.py", "setup.py")
                and f[:-3].isidentifier()
            ):
                out.append(rel + "." + f[:-3])
    return out


def path(m):
    p = os.path.join(D, *m.split("."))
    for q in (os.path.join(p, "__init__.py"), p + ".py"):
        if os.path.isfile(q):
            return q
