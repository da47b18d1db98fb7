"""DESIGN 4.2: every kind of module is found, and its loader served."""

KIND_USER = """\
    import {0}
    def f():
        return type({0}.__spec__.loader).__name__
    """


def check_kind(both, name, files=(), loader=None, **how):
    run = both({**dict(files), "user.py": KIND_USER.format(name)}, """\
        import sys
        def main():
            import user
            loader = user.f()
            print(loader)
        main()
        """, **how)
    assert run.state(name) == "real", run.show(name)
    if loader:
        assert run.out == loader + "\n"
    return run


def test_kind_source(both):
    """4.2: source, with its bytecode cache read and written as ever."""
    check_kind(both, "dep", {"dep.py": ""}, "SourceFileLoader")


def test_kind_bytecode(both, lab):
    """4.2: a .pyc alone."""
    lab.write({"dep.py": "value = 1\n", "make.py": "import py_compile\n"
               "py_compile.compile('dep.py', 'dep.pyc')\n"})
    assert lab.run("eager", file="make.py").status == 0
    (lab.folder / "dep.py").unlink()
    check_kind(both, "dep", loader="SourcelessFileLoader")


def test_kind_zip(both, lab):
    """Section 9, zip imports: a zip on sys.path."""
    lab.zip("lib.zip", {"dep.py": "value = 1\n", "pk/__init__.py": "",
                        "pk/sub.py": "value = 2\n"})
    run = both({"user.py": "import dep\nfrom pk import sub\nimport pk.sub\n"
                           "def f():\n    return dep.value, sub.value, pk\n"},
               """\
        import sys
        sys.path.append("lib.zip")
        import user
        def main():
            print(user.f()[:2], user.pk.__file__[-22:])
        main()
        """)
    assert run.out == "(1, 2) lib.zip/pk/__init__.py\n"
    for name in ("dep", "pk", "pk.sub"):
        assert run.state(name) == "real"


def test_kind_zip_application(both, lab):
    """Section 9, zip imports: a zip as the program."""
    lab.zip("app.zip", {"__main__.py": "import dep\nimport unused\n"
                        "def use():\n    return unused\nprint(dep.value)\n",
                        "dep.py": "value = 1\n", "unused.py": ""})
    run = both({}, "", file="app.zip")
    assert run.out == "1\n"
    assert run.state("unused") == "proxy"


def test_kind_extension(both, lab):
    """4.2: an extension module."""
    code = ("import sys, os\n"
            "folder = [p for p in sys.path if p.endswith('lib-dynload')][0]\n"
            "names = sorted(n.split('.')[0] for n in os.listdir(folder))\n"
            "print([n for n in names if n in "
            "('_json', '_csv', '_bz2', '_queue', '_asyncio')][0])\n")
    lab.write({"find.py": code})
    name = lab.run("eager", file="find.py").out.strip()
    check_kind(both, name, loader="ExtensionFileLoader")


def test_kind_builtin(both):
    """4.2: a module compiled into the interpreter."""
    run = check_kind(both, "_symtable")
    assert run.stats["builtins_imported"] > 0


def test_kind_frozen(both):
    """4.2: a frozen module and package."""
    check_kind(both, "__hello__")
    check_kind(both, "__phello__.spam")


def test_kind_namespace(both):
    """4.2: namespace packages, one inside another, over two folders."""
    run = both({"one/ns/deep/a.py": "value = 'a'\n",
                "two/ns/deep/b.py": "value = 'b'\n",
                "user.py": """\
        import ns.deep.a
        from ns.deep import b
        import ns.deep as deep
        def f():
            return ns.deep.a.value, b.value, sorted(
                p.split("/")[-3] for p in deep.__path__)
        """}, """\
        import sys
        sys.path += ["one", "two"]
        import user
        print(user.f())
        """)
    assert run.out == "('a', 'b', ['one', 'two'])\n"
    assert run.state("ns") == "real"


def test_kind_lazy_namespace(both):
    """4.2: a namespace package that no one uses stays pending."""
    run = both({"ns/a.py": ""}, """\
        import ns.a
        from ns import a
        def use():
            return ns, a
        """)
    assert run.state("ns") == "proxy"
    assert run.state("ns.a") == "proxy"


def test_kind_custom_finder_and_loader(both):
    """4.2: a loader of the program's own, with a loader_state of its own
    (trap: `spec.loader_state` of another loader overwritten)."""
    both({"finder.py": """\
        import sys
        from importlib.machinery import ModuleSpec
        class Loader:
            def create_module(self, spec):
                assert spec.loader_state == ("mine", spec.name)
                return None
            def exec_module(self, module):
                module.state = module.__spec__.loader_state
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name.startswith("virtual"):
                    return ModuleSpec(name, Loader(), origin="nowhere",
                                      loader_state=("mine", name))
        sys.meta_path.append(Finder())
        """, "user.py": "import virtual_a\nfrom virtual_b import state\n"
             "def f():\n    return virtual_a.state, state\n"}, """\
        import finder
        finder.sys
        import user
        print(user.f())
        print(user.virtual_a.__spec__.loader_state)
        """)


def test_kind_legacy_loader_failing_in_create_module(both):
    """4.2: a loader whose create_module raises."""
    both({"finder.py": """\
        import sys
        from importlib.machinery import ModuleSpec
        class Loader:
            def create_module(self, spec):
                raise ImportError("not today", name=spec.name)
            def exec_module(self, module):
                pass
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "virtual":
                    return ModuleSpec(name, Loader())
        sys.meta_path.append(Finder())
        """, "user.py": "import virtual\ndef f():\n    return virtual\n"}, """\
        import finder
        finder.sys
        try:
            import user
            user.f()
        except ImportError as error:
            print(error, error.name)
        """)
