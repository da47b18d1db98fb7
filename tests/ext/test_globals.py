"""4.3, last row: globals() binds what is pending, since its caller may look at
it; not where the bytecode says that it is only stored into."""
import textwrap

import pytest

FILES = {"dep.py": "value = 1\nprint('run dep')\n",
         "later.py": "value = 2\n"}
USE = "\ndef use():\n    return dep, later\n"


@pytest.mark.parametrize("statement", [
    "globals().update(x=1)", "globals().update({'x': 1})",
    "globals()['x'] = 1", "globals()['x' + __name__] = 1",
    "for name in 'xy':\n    globals()[name] = 1",
    "for name in 'xy':\n    globals()['_' + name] = 1",
    "def f():\n    globals()['x'] = 1\nf()",
    "def f(name):\n    globals().update({name: 1})\nf('x')",
])
def test_only_stored_into(both, statement):
    run = both(FILES, "import later\n" + statement + USE)
    assert run.pending == ["later"]


@pytest.mark.parametrize("statement", [
    "g = globals()", "globals().get('x')", "globals()['x'] = globals()",
    "g = globals()\ng['x'] = 1", "print(len(globals()) > 3)",
    "globals().update(globals())", "globals() | {}",
    "globals()[str(len(globals()))] = 1", "x = globals()['dep']",
    "globals().setdefault('x', 1)", "update = globals().update\nupdate(x=1)",
    "(globals() or {})['x'] = 1", "(lambda f: f())(globals)['x'] = 1",
    "globals().__setitem__('x', 1)", "print('dep' in globals())",
    "x = 1\nglobals()['x'] += 1",
    "def f():\n    g = globals()\n    g['x'] = 1\nf()",
])
def test_looked_at(both, statement):
    run = both(FILES, "import dep\nimport later\n" + statement + USE)
    assert run.pending == []


def test_a_pending_name_that_is_replaced(both):
    both(FILES, """\
        import dep
        globals()["dep"] = 5
        globals().update(later=6)
        import later
        def use():
            return later.value
        print(dep, use())
        """)


def test_no_effect_on_others(both):
    """Rule 5: what comes after it is not late."""
    run = both(FILES, """\
        globals().update({"x": 1})
        import later
        print("imported")
        def use():
            return later
        """)
    assert run.pending == ["later"]


def test_an_effect_behind_it(both):
    run = both({"other.py": "value = 1\ndef add():\n"
                            "    global value\n    value += 1\n",
                "later.py": "import other\nother.value *= 10\n"}, """\
        import other
        globals().update(x=1) or other.add()
        import later
        print(other.value)
        def use():
            return later
        """)
    assert run.reason("later") == "late"


def test_the_standard_library(both):
    """inspect keeps what globals() gives under a name, and stores into it;
    http.client updates it before it imports ssl."""
    run = both({}, """\
        import inspect, http.client
        print(inspect.CO_GENERATOR, http.client.OK.value)
        """)
    assert run.state("inspect") == "real"
    assert run.state("tokenize") == "proxy"
    assert run.state("ssl") == "proxy"


def test_locals_in_a_comprehension_of_a_module(both):
    """From 3.12 on it has no frame of its own, and locals() is a copy."""
    both({"dep.py": "value = 1\n", "user.py": """\
        import dep
        print([[type(value).__name__ for name, value in
                list(locals().items()) if name == "dep"] for _ in range(1)])
        def use():
            return dep
        """}, "import user\n")


WALKED = {"pk/__init__.py": "import pk.one\nfrom pk.two import name\n"
                            "def use():\n    return pk, name\n",
          "pk/one.py": "import pk.three\nuse = lambda: pk.three\n",
          "pk/two.py": "from pk import four as other\nname = 2\n"
                       "use = lambda: other\n",
          "pk/three.py": "", "pk/four.py": "",
          "user.py": "import colorsys, email.message, xml.dom.minidom\n"
                     "use = lambda: (colorsys, email.message.Message,\n"
                     "               xml.dom.minidom.parse)\n"}
WALK = """\
    import pk, email, user
    def kinds(module):
        return sorted((key, type(value).__name__) for key, value in {0}
                      if key[:2] != "__")
    def main():
        for module in (pk, user):
            print(kinds(module), len(module.__dict__))
        for key, value in user.__dict__.items():
            hash(value) if key[:2] != "__" else None
        print(sum(callable(value) for value in email.__dict__.values()))
    main()
    """


@pytest.mark.parametrize("walk", [
    "module.__dict__.items()",
    "(pair for pair in module.__dict__.items())",
    "((key, module.__dict__[key]) for key in module.__dict__)",
    "((key, getattr(module, key)) for key in module.__dict__.keys())"])
def test_a_loop_over_a_module_s_dict(both, walk):
    """What it does with the values would load them, and so add to the dict."""
    both(WALKED, WALK.format(walk), levels={"pk": "full"})


COPIES = {
    "two branches": """\
        if module:
            items = module.__dict__.items()
        for key, value in items:
            copy[key] = value
        """,
    "an alias of items": """\
        items = iteritems(module.__dict__)
        for key, value in items:
            if not key.startswith("__"):
                copy[key] = value
        """,
    "zip": "copy.update(zip(module.__dict__.keys(),"
           " module.__dict__.values()))",
    "map": "copy.update(map(tuple, module.__dict__.items()))",
    "sorted": "copy.update(sorted(module.__dict__.items(), key=str))",
    "list": "copy.update(list(module.__dict__.items()))",
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_holds_no_proxies(both, how):
    body = textwrap.indent(textwrap.dedent(COPIES[how]), " " * 12)
    both({"module.py": "import colorsys\ndef use():\n    return colorsys\n"},
         f"""\
        import module
        iteritems = dict.items
        def main():
            copy = {{}}
{body}
            print(copy["colorsys"] is module.colorsys)
        main()
        """)


@pytest.mark.parametrize("look", [
    "user.__dict__.get('x')", "'x' in user.__dict__",
    "[key for key in user.__dict__.copy()]", "user.__dict__['use']",
    "vars(type(user)).items()", "sys.modules[__name__].__dict__",
    "for module in list(sys.modules.values()): module.__dict__",
    "for module in sys.modules.values(): module.__name__"])
def test_no_loop_that_looks_into_modules(lazily, look):
    run = lazily(WALKED, f"import sys, user\n{look}\nimport lazycore\n"
                         "print(sorted(lazycore.pending(user)))\n")
    assert run.out == "['colorsys', 'email', 'xml']\n"


@pytest.mark.parametrize("loop", [
    "for name, module in sys.modules.items():",
    "for module in sys.modules.values():",
    "for name in sys.modules:\n        module = sys.modules[name]"])
@pytest.mark.parametrize("values", [
    "module.__dict__.values()", "list(vars(module).values())",
    "list(module.__dict__.values())",
    "[getattr(module, name) for name in dir(module)]"])
def test_a_loop_over_sys_modules_and_their_dicts(both, loop, values):
    """Nor must there be more modules half-way."""
    both({**WALKED,
          "third.py": "from wave import open\nuse = lambda: open\n"},
         "import sys, pk, user, third\n"
         f"def main():\n    kinds = set()\n    {loop}\n"
         f"        for value in {values}:\n"
         "            if isinstance(value, type):\n"
         "                kinds.add(value.__name__)\n"
         "    print('Message' in kinds, 'Wave_read' in kinds)\nmain()\n",
         levels={"pk": "full"})


def test_a_loop_over_sys_modules_where_one_fails(lazily):
    run = lazily({"bad.py": "raise ValueError\n", "other.py": "x = 1\n"},
                 "import sys, bad, other\nuse = lambda: (bad, other)\n"
                 "def main():\n    for module in sys.modules.values():\n"
                 "        module.__dict__\n    print('other' in sys.modules)\n"
                 "main()\n")
    assert run.out == "True\n"


@pytest.mark.parametrize("loop", [
    "for module in sys.modules.values(): module.__dict__",
    "[key for key in sys.modules['__main__'].__dict__.items()]"])
def test_no_loop_waits_for_a_load(both, loop):
    """A body that waits for a thread that loops is not waited for."""
    both({"m.py": "import queue, sys, threading\nq = queue.Queue()\n"
                  f"def work():\n    {loop}\n    q.put('done')\n"
                  "threading.Thread(target=work, daemon=True).start()\n"
                  "print(q.get(timeout=20))\n"},
         "import m\nuse = lambda: m\nm.q\n")


@pytest.mark.parametrize("loop", [
    "[v for k, v in user.__dict__.items() if k.startswith('test')]",
    "[m for m in sys.modules.values() if 'PLUGIN' in m.__dict__]"])
def test_no_loop_half_way_through_a_load(both, loop):
    """What stands behind in the program's order is not there for it."""
    both({"reg.py": "known = set()\ndef register(name):\n"
          "    if name in known:\n        raise ValueError(name)\n"
          "    known.add(name)\n",
          "user.py": "import m1\nimport m2\n"
                     "def use():\n    return m1.X, m2.Y\n",
          "m1.py": f"import sys, user\nfound = {loop}\n"
                   "class X:\n    pass\n",
          "m2.py": "import reg, m1\nreg.register('m2')\n"
                   "class Y(m1.X):\n    pass\n"},
         "import user\nprint(user.use()[1].__name__)\n")


def test_a_loop_in_code_of_many_names(both):
    """Where the name's number takes more than a byte."""
    names = "".join(f"    x.a{i} = 0\n" for i in range(260))
    both(WALKED, "import user\nclass x: pass\ndef main():\n" + names
         + "    print(sorted(type(v).__name__ for k, v in\n"
           "                 user.__dict__.items() if k[:2] != '__'))\n"
           "main()\n")


@pytest.mark.parametrize("walk", [
    "[callable(v) for m in sys.modules.values()\n"
    "     for v in list(vars(m).values())]",
    "any(getattr(v, 'z', 0) == 7 for m in sys.modules.values()\n"
    "        for v in list(vars(m).values()))"])
def test_a_loop_within_a_comprehension(both, walk):
    both(WALKED, f"import sys, user\ndef main():\n    {walk}\n"
                 "    print('there')\nmain()\n")


@pytest.mark.parametrize("walk", [
    "for module in sys.modules.values():\n"
    "        [callable(value) for value in list(vars(module).values())]",
    "for name, module in sys.modules.items():\n"
    "        for key, value in module.__dict__.items():\n"
    "            hash(type(value))",
    "[callable(v) for m in sys.modules.values()\n"
    "     for v in list(vars(m).values())]"])
def test_a_loop_over_sys_modules_in_warm_code(both, walk):
    """The instruction that takes sys.modules is specialised by then."""
    both({**WALKED, "walker.py": "import sys\ndef walk(warm):\n"
          "    for i in range(warm):\n        sys.modules\n"
          f"    {walk}\n"},
         "import walker\n"
         "for i in range(20):\n    walker.walk(20)\n"
         "import user\nwalker.walk(0)\n"
         "import colorsys\nuse = lambda: colorsys\nwalker.walk(20)\n"
         "print('there')\n")
