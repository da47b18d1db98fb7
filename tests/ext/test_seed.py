"""DESIGN section 9: the seed, feature by feature. Each test names its row."""

import pytest

# A way to a proxy: what __dict__ holds, looked at without a look-up.
TAKE = """\
    def take(module):
        return [v for v in list(dict.values(module.__dict__))
                if type(v).__name__ in ("ModuleProxy", "NameProxy")]
    """
DEP = {"dep.py": "value = 1\ndef f(x=2):\n    return x\n",
       "user.py": "import dep\ndef f():\n    return dep\n",
       "take.py": TAKE}
START = """\
    import sys
    import lazycore
    import user
    from take import take
    def main():
        [proxy] = take(user)
        assert type(proxy) is lazycore.ModuleProxy, type(proxy)
        assert "dep" not in sys.modules
    """


def after_start(text):
    body = "".join(f"        {line}\n" for line in text.splitlines())
    return START.rstrip(" ") + body + "    main()\n"


@pytest.mark.parametrize("use", [
    "assert proxy.value == 1",
    "proxy.added = 2\nassert sys.modules.get('dep').added == 2",
    "del proxy.value\nassert not hasattr(sys.modules.get('dep'), 'value')",
    "assert 'value' in dir(proxy)",
    "assert proxy.f() == 2 and proxy.f(x=3) == 3",
    "assert str(proxy).startswith('<module')",
    "assert proxy == sys.modules.get('dep', proxy)",
    "assert hash(proxy) == hash(sys.modules.get('dep'))",
    "assert bool(proxy)",
    "assert hasattr(proxy, 'value') and not hasattr(proxy, 'nothing')",
    "assert getattr(proxy, 'nothing', 3) == 3",
    "assert proxy.__name__ == 'dep' and proxy.__file__.endswith('dep.py')",
    "assert isinstance(proxy, type(sys))",
    "assert vars(proxy)['value'] == 1",
    "try:\n    proxy()\nexcept TypeError as e:\n    assert 'module' in str(e)",
])
def test_row_module_proxy_loads_on_use(lazily, use):
    """Row 1: ModuleProxy, loads on attribute get, set, dir()."""
    run = lazily(DEP, after_start(use + "\nassert 'dep' in sys.modules"))
    assert run.state("dep") == "real"


def test_row_module_proxy_repr(lazily):
    """Row 1: repr of a ModuleProxy loads nothing."""
    run = lazily(DEP, after_start("print(repr(proxy))\n"
                                  "assert 'dep' not in sys.modules"))
    assert run.out.startswith("<ModuleProxy 'import dep' at ")
    assert run.state("dep") == "proxy"


def test_row_module_proxy_cannot_be_made(lazily):
    """Row 1: only an import statement makes a proxy."""
    lazily({}, """\
        import lazycore
        for kind in (lazycore.ModuleProxy, lazycore.NameProxy,
                     lazycore.LazyFinder, lazycore.SetView):
            try:
                kind()
            except TypeError:
                continue
            raise AssertionError(kind)
        """)


HOLDERS = {
    "dict": ("holder = {'a': proxy, 'b': [1]}", "holder['a']"),
    "dict of a dict": ("holder = {'a': {'b': proxy}}", "holder['a']['b']"),
    "copied globals": ("holder = dict(user.__dict__)",
                       "[v for k, v in holder.items() if str(k) == 'dep'][0]"),
    "list": ("holder = [0, proxy, 1]", "holder[1]"),
    "list of lists": ("holder = [[proxy], proxy]", "holder[0][0]"),
    "attribute": ("holder = Plain()\nholder.a = proxy", "holder.a"),
    "attribute in a dict": ("holder = Plain()\nholder.__dict__['a'] = proxy",
                            "vars(holder)['a']"),
    "cell": ("def holder(p=None):\n    held = proxy\n"
             "    return lambda: held\nholder = holder()",
             "holder.__closure__[0].cell_contents"),
    "module": ("holder = type(sys)('m')\nholder.a = proxy",
               "holder.__dict__['a']"),
    "defaultdict": ("import collections\n"
                    "holder = collections.defaultdict(list, a=proxy)",
                    "holder['a']"),
}


@pytest.mark.parametrize("place", HOLDERS)
@pytest.mark.parametrize("load", ["held.value", "user.f().value",
                                  "__import__('dep')"])
def test_row_injection(lazily, place, load):
    """Row 2: injection with gc.get_referrers, into dicts, lists, instance
    attributes and cells; by use of the proxy, of the name, or by import."""
    make, get = HOLDERS[place]
    lazily(DEP, after_start("class Plain: pass\n" + make + "\n"
                            "del proxy\n"
                            f"held = {get}\n"
                            "assert type(held) is lazycore.ModuleProxy\n"
                            f"{load}\n"
                            "del held\n"
                            f"assert type({get}) is type(sys), type({get})\n"
                            f"assert {get} is sys.modules.get('dep')"))


def test_row_injection_on_demand(lazily):
    """Row 2: lazycore.inject() and load(inject=True) serve what is left, and
    tell how many places there were."""
    lazily(DEP, after_start("holder = [proxy]\n"
                            "holder[0].value\n"
                            "holder.append(proxy)\n"
                            "other = {'a': proxy}\n"
                            "assert type(holder[1]) is lazycore.ModuleProxy\n"
                            "assert lazycore.inject() >= 2\n"
                            "assert type(holder[1]) is type(sys)\n"
                            "assert type(other['a']) is type(sys)\n"
                            "other['b'] = proxy\n"
                            "assert lazycore.load('dep', inject=True) == 0\n"
                            "assert type(other['b']) is type(sys)"))


def test_row_finder_on_meta_path(lazily):
    """Row 3: the importer on sys.meta_path."""
    lazily({}, """\
        import sys
        import lazycore
        assert type(sys.meta_path[0]) is lazycore.LazyFinder
        assert sys.meta_path[0].find_spec("nowhere") is None
        """)


def test_row_builtins_are_proxied(lazily):
    """Row 3: builtins are proxied, too; and counted."""
    run = lazily({}, """\
        import sys
        import lazycore
        before = lazycore.stats()
        import _symtable
        def use():
            return _symtable
        assert "_symtable" in sys.builtin_module_names
        after = lazycore.stats()
        assert after["builtins_proxied"] == before["builtins_proxied"] + 1
        assert after["builtins_absent"] == before["builtins_absent"] - 1
        use()
        last = lazycore.stats()
        assert last["builtins_proxied"] == before["builtins_proxied"]
        assert last["builtins_imported"] == before["builtins_imported"] + 1
        assert (last["builtins_proxied"] + last["builtins_imported"]
                + last["builtins_absent"]) == len(sys.builtin_module_names)
        """)
    assert run.state("_symtable") == "real"


def test_row_zip_imports(both, lab):
    """Row 4: zip imports; an ignored path applies to what a zip holds."""
    lab.zip("lib.zip", {"dep.py": "value = 1\n", "unused.py": ""})
    lab.zip("VENDOR.zip", {"loud.py": "print('loud')\n"})
    run = both({"user.py": "import dep\nimport unused\nimport loud\n"
                "def f():\n    return dep\ndef g():\n"
                "    return unused, loud\n"}, """\
        import sys
        sys.path += ["lib.zip", "VENDOR.zip"]
        import user
        print(user.f().__file__[-14:])
        """, ignore=["path=vendor.zip"])
    assert run.state("dep") == "real"
    assert run.state("unused") == "proxy"
    assert run.reason("loud") == "ignore_path"


def test_row_reload_of_a_leaked_proxy(lazily):
    """Row 5: importlib.reload takes proxies, pending and loaded."""
    lazily(DEP, after_start("import importlib\n"
                            "module = importlib.reload(proxy)\n"
                            "assert type(module) is type(sys)\n"
                            "assert module is sys.modules.get('dep')\n"
                            "with open('dep.py', 'w') as file:\n"
                            "    file.write('value = 22222\\n')\n"
                            "assert importlib.reload(proxy) is module\n"
                            "assert user.f().value == 22222"))


def test_row_reload_of_a_name(both):
    """Row 5: importlib.reload(name) of a pending name and of a module."""
    both({"dep.py": "import sys\nsys.count = getattr(sys, 'count', 0) + 1\n"
                    "value = sys.count\n"}, """\
        import importlib
        import dep
        def main():
            print(importlib.reload(dep) is dep, dep.value)
            print(importlib.reload(dep).value, dep.value)
        main()
        """)


def test_row_reload_errors(both):
    """Row 5: importlib.reload refuses what it always refused."""
    both({}, """\
        import importlib
        import types
        def main():
            for what in (3, "dep", types.ModuleType("nowhere")):
                try:
                    importlib.reload(what)
                except (TypeError, ImportError) as error:
                    print(type(error).__name__, error)
        main()
        """)


def test_row_sets_and_counts(lazily):
    """Row 6: proxies, reals, ignored, existing, lost are live sets, and agree
    with the counts."""
    run = lazily({"a.py": "", "b.py": "x = 1\n", "c.py": "", "d.py": "",
                  "user.py": "import a\nimport b\nimport c\n"
                  "def f():\n    return b\ndef g():\n    return a, c\n"}, """\
        import sys
        import types
        import lazycore
        import d
        def main():
            lazycore.ignorenames.add("c")
            user = __import__("user")
            assert {"a", "b"} <= set(lazycore.proxies)
            assert "c" in lazycore.ignored and "c" not in lazycore.proxies
            assert "sys" in lazycore.existing
            assert "user" in lazycore.eager
            user.f()
            assert "b" in lazycore.reals and "b" not in lazycore.proxies
            sys.modules["smuggled"] = types.ModuleType("smuggled")
            stats = lazycore.stats()
            assert "smuggled" in lazycore.lost
            assert stats["lost"] >= 1
            total = 0
            for kind in ("proxies", "reals", "eager", "ignored", "existing",
                         "lost"):
                view = getattr(lazycore, kind)
                assert len(view) == stats[kind], kind
                assert len(set(view)) == len(list(view))
                total += len(view)
            everything = set()
            for kind in ("proxies", "reals", "eager", "ignored", "existing",
                         "lost"):
                everything |= set(getattr(lazycore, kind))
            assert len(everything) == total, "a module in two states"
            assert set(sys.modules) <= everything, \\
                set(sys.modules) - everything
            assert stats["proxy_total"] >= stats["proxy_peak"]
            assert stats["proxy_peak"] >= stats["proxies"]
            return types, d
        main()
        """)
    assert run.state("c") == "ignored"


def test_row_proxy_tally(lazily):
    """Row 6: proxyTally counts modules that ever became proxies, each once,
    however many names wait for it."""
    lazily({"a.py": "x = y = 1\n", "b.py": ""}, """\
        import lazycore
        tally = lazycore.stats()["proxy_total"]
        import a
        from a import x, y
        import b
        more = lazycore.stats()
        assert more["proxy_total"] == tally + 2, more
        def use():
            return a, x, y, b
        use()
        again = lazycore.stats()
        assert again["proxy_total"] == tally + 2, again
        """)


VIEW_OPERATIONS = [
    "assert 'x.y' not in rules",
    "rules.add('x.y')\nassert 'x.y' in rules",
    "rules.add('x.y')\nrules.add('x.y')\nassert list(rules).count('x.y') == 1",
    "rules.add('x')\nrules.remove('x')\nassert 'x' not in rules",
    "try:\n    rules.remove('x')\nexcept KeyError as e:\n    assert e.args\n"
    "else:\n    raise AssertionError",
    "rules.discard('x')",
    "rules.update(['a', 'b'], {'c'})\nassert {'a', 'b', 'c'} <= set(rules)",
    "rules |= {'a', 'b'}\nassert {'a', 'b'} <= set(rules)",
    "rules |= {'a', 'b'}\nrules -= {'a'}\nassert 'a' not in rules",
    "assert rules | {'a'} == set(rules) | {'a'}",
    "assert rules & {'a'} == set() == {'a'} & rules",
    "assert rules - rules == set()",
    "assert rules ^ set(rules) == set()",
    "rules.add('x')\nassert len(rules) == len(set(rules)) > 0",
    "rules.clear()\nassert len(rules) == 0 and list(rules) == []",
    "before = set(rules)\nassert rules == before and not rules != before",
    "assert rules <= set(rules) and set(rules) <= rules",
    "rules.add('zzz')\nassert \"'zzz'\" in repr(rules)",
    "try:\n    hash(rules)\nexcept TypeError:\n    pass\n"
    "else:\n    raise AssertionError",
    "for bad in (3, None, b'x'):\n    try:\n        rules.add(bad)\n"
    "    except TypeError:\n        continue\n    raise AssertionError(bad)",
    "for bad in ('', 'a\\0b', 'a\\nb', 'x' * 100000):\n    try:\n"
    "        rules.add(bad)\n    except ValueError:\n        continue\n"
    "    raise AssertionError(bad)",
]


@pytest.mark.parametrize("name", ["ignorenames", "ignorepkg", "ignorepath"])
def test_row_ignore_sets_are_like_sets(lazily, name):
    """Row 8: ignorenames, ignorepkg, ignorepath: live, set-like views."""
    tests = "".join(f"def test_{i}(rules):\n" + "".join(
        f"    {line}\n" for line in text.splitlines())
        for i, text in enumerate(VIEW_OPERATIONS))
    lazily({"operations.py": tests}, f"""\
        import lazycore
        from operations import *
        def main():
            view = lazycore.{name}
            before = set(view)
            for i in range({len(VIEW_OPERATIONS)}):
                globals()[f"test_{{i}}"](view)
                view.clear()
                view.update(before)
            assert set(view) == before
        main()
        """)


@pytest.mark.parametrize("name", ["proxies", "reals", "eager", "ignored",
                                  "existing", "lost"])
def test_row_other_sets_are_read_only(lazily, name):
    """Row 6: what the engine counts can be read, not edited."""
    lazily({}, f"""\
        import lazycore
        view = lazycore.{name}
        def refused(edit):
            try:
                edit()
            except TypeError as error:
                assert "read-only" in str(error), error
            else:
                raise AssertionError
        refused(lambda: view.add("x"))
        refused(lambda: view.discard("x"))
        assert "x" not in view and 3 not in view
        """)


def test_row_ignore_sets_start_as_the_seed_had_them(lazily):
    """Row 8: `encodings` and `warnings` are ignored from the start."""
    lazily({}, """\
        import lazycore
        assert {"encodings", "warnings"} <= lazycore.ignorenames
        """)


@pytest.mark.parametrize("arguments, expected", [
    ("'foo'", True), ("'foo.bar'", False), ("'foobar'", False),
    ("'pk'", True), ("'pk.a.b'", True), ("'pkg'", False),
    ("'x', '/a/VENDOR/x.py'", True), ("'x', '/a/vend/x.py'", False),
    ("'x', None", False), ("fullname='foo', pathname='y'", True),
])
def test_row_ignore_module(lazily, arguments, expected):
    """Row 8: ignore_module(fullname, pathname=None)."""
    lazily({}, f"""\
        import lazycore
        assert lazycore.ignore_module({arguments}) is {expected}
        """, ignore=["name=foo", "package=pk", "path=vendor"])


def test_row_install_is_repeatable(lazily):
    """Row 9: install() twice is install() once; uninstall() likewise."""
    lazily({f"m{i}.py": "" for i in range(3)}, """\
        import builtins, sys
        import lazycore
        ours = builtins.__import__
        lazycore.install()
        lazycore.install()
        assert builtins.__import__ is ours
        kinds = [type(f).__name__ for f in sys.meta_path]
        assert kinds.count("LazyFinder") == 1
        for i in range(3):
            lazycore.uninstall()
            lazycore.uninstall()
            assert builtins.__import__ is not ours
            names = ("globals", "locals", "vars", "dir", "__import__")
            modules = {getattr(builtins, n).__module__ for n in names}
            assert modules == {"builtins"}, modules
            import importlib
            assert importlib.reload.__module__ == "importlib"
            bootstrap = importlib._bootstrap
            assert bootstrap._load_unlocked.__module__ != "lazycore"
            lazycore.install()
            assert builtins.__import__ is ours
        """)


def test_row_uninstall_leaves_pending_names_working(lazily):
    """Row 9: after uninstall pending proxies still load on use; statements
    are eager."""
    run = lazily({"dep.py": "print('dep')\nvalue = 1\n",
                  "more.py": "print('more')\nx = 1\n",
                  "pk/__init__.py": "", "pk/sub.py": "x = 2\n",
                  "user.py": "import dep\nfrom dep import value as v\n"
                             "import pk.sub\n"
                             "def f():\n    return v, dep.value, pk.sub.x\n",
                  "later.py": "import more\ndef f():\n    return more\n"}, """\
        import user
        def main():
            import lazycore
            assert lazycore.pending(user) == ["dep", "v", "pk"]
            lazycore.uninstall()
            import later
            print("uninstalled")
            print(user.f())
            assert lazycore.pending(user) == []
            lazycore.install()
        main()
        """)
    assert run.out == "more\nuninstalled\ndep\n(1, 1, 2)\n"


def test_row_uninstall_leaves_what_others_put(lazily):
    """Row 9: an __import__ that wraps ours is left alone by uninstall."""
    lazily({"dep.py": "x = 1\n",
            "user.py": "import dep\ndef f():\n    return dep.x\n"}, """\
        import builtins
        import lazycore
        ours = builtins.__import__
        def wrapper(*args, **kwargs):
            return ours(*args, **kwargs)
        builtins.__import__ = wrapper
        lazycore.uninstall()
        assert builtins.__import__ is wrapper
        import user
        assert user.f() == 1
        assert "dep" not in lazycore.proxies
        lazycore.install()
        """)


def test_row_imported_right_after_site(both):
    """Row 10: installed right after site, the program's own imports are the
    first that are lazy."""
    run = both({}, "import json\nimport email\ndef f():\n"
                   "    return json, email\n")
    assert run.pending == ["email", "json"]
    assert run.state("site") == "existing"


def test_ready_without_a_host(lazily):
    """lazycore.ready() does nothing where there is no host."""
    lazily({}, "import lazycore\nassert lazycore.ready() is None\n")


@pytest.mark.parametrize("call, kind", [
    ("lazycore.load('nowhere_at_all')", ImportError),
    ("lazycore.load('broken')", ImportError), ("lazycore.load(3)", TypeError),
    ("lazycore.load('')", Exception), ("lazycore.show(3)", TypeError),
    ("lazycore.level(3)", TypeError), ("lazycore.install(1)", TypeError),
    ("lazycore.ignore_module()", TypeError), ("lazycore.report(3)", TypeError),
])
def test_wrong_arguments(lazily, call, kind):
    """Wrong arguments of the module's functions are refused by Python."""
    run = lazily({"broken.py": "raise ValueError('why it broke')\n"}, f"""\
        import lazycore
        try:
            {call}
        except {kind.__name__} as error:
            print(error)
        else:
            raise AssertionError
        """)
    if "broken" in call:
        assert "why it broke" in run.out


def test_load_by_name(lazily):
    """lazycore.load(name) loads a proxy or any module, and tells how many
    bodies ran."""
    lazily({"a.py": "import b\nb.x\n", "b.py": "x = 1\n", "c.py": "",
            "user.py": "import a\ndef f():\n    return a\n"}, """\
        import sys
        import user
        def main():
            import lazycore
            user.f
            assert lazycore.load("a") == 2
            assert lazycore.load("a") == 0
            assert lazycore.pending(user) == []
            assert lazycore.load("c") == 1
            assert "c" in sys.modules
        main()
        """)
