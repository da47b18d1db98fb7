"""A life that ends with names pending everywhere: in namespaces, in what was
copied from them, in cycles, and under other threads' thread-locals."""
import threading
import lazycore
import files

COUNT = 40


class Holder:
    pass


def leak(user):
    holder = Holder()
    holder.self = holder
    namespace = user.__dict__
    holder.copy = dict(namespace)
    holder.proxies = [value for value in holder.copy.values()
                      if type(value).__module__ == "lazycore"]
    for i, proxy in enumerate(holder.proxies):
        setattr(holder, "proxy%d" % i, proxy)
        local.__dict__[i] = (lambda held: lambda: held)(proxy)
    return holder


local = threading.local()
files.write({**{"m%d.py" % i: "value = %d\n" % i for i in range(COUNT)},
             "user.py": "".join(
                 "import m%d\nfrom m%d import value as v%d\n" % (i, i, i)
                 for i in range(COUNT))
             + "import json, fractions, urllib.parse\n"
             + "def f():\n    return [json, fractions, urllib, "
             + ", ".join("m%d, v%d" % (i, i) for i in range(COUNT)) + "]\n"})


def main():
    import builtins
    import user
    assert len(lazycore.pending(user)) == 2 * COUNT + 3
    builtins.kept_by_builtins = leak(user)
    user.me = user
    assert len(lazycore.proxies) >= COUNT


main()
