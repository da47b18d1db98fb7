"""DESIGN 4.1: what a deferred import leaves behind, and what code sees of it.

Names, not modules: sys.modules is not touched, the first look-up of a name
puts the value in the proxy's place, and afterwards nothing is left.
"""

import pytest

STATEMENTS = ["import dep", "import dep as d", "import pk.sub",
              "import pk.sub as d", "import pk.sub.leaf as d",
              "from dep import value", "from dep import value as d",
              "from pk import sub", "from pk.sub import leaf as d",
              "from pk.sub.leaf import value as d"]
FILES = {"dep.py": "value = 'dep'\n", "pk/__init__.py": "name = 'pk'\n",
         "pk/sub/__init__.py": "", "pk/sub/leaf.py": "value = 'leaf'\n"}


def bound_name(statement):
    if " as " in statement:
        return "d"
    return statement.split()[-1].split(".")[0]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_sys_modules_is_not_touched(lazily, statement):
    """4.1: a deferred statement adds nothing to sys.modules."""
    name = bound_name(statement)
    lazily(FILES, f"""\
        import sys
        import lazycore
        before = set(sys.modules)
        {statement}
        after = set(sys.modules)
        def use():
            return {name}
        assert after == before, after - before
        assert lazycore.pending(sys.modules["__main__"]) == [{name!r}]
        """)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_first_look_up_gives_the_value(both, statement):
    """4.1: the first look-up by name gives what eager code has."""
    name = bound_name(statement)
    run = both(FILES, f"""\
        {statement}
        def use():
            return {name}
        print(type({name}).__name__, getattr({name}, "__name__", {name}))
        print({name} is use(), {name} is __import__("__main__").{name})
        """)
    assert run.pending == []


@pytest.mark.parametrize("look_up", [
    "main.dep", "getattr(main, 'dep')", "getattr(main, 'dep', None)",
    "main.__dict__['dep']", "main.__dict__.get('dep')",
    "main.__getattribute__('dep')", "operator.attrgetter('dep')(main)",
    "operator.itemgetter('dep')(main.__dict__)", "eval('dep')",
    "inspect.getattr_static(main, 'dep')", "main.__dict__.setdefault('dep')",
    "main.__dict__.pop('dep')", "dict(inspect.getmembers(main))['dep']",
    "globals().copy()['dep']", "{**globals()}['dep']",
])
def test_look_up_by_other_ways(both, look_up):
    """4.1: by attribute or by item, the first look-up gives the value."""
    both({"dep.py": ""}, f"""\
        import sys, operator, inspect
        import dep
        def test(main):
            print(type({look_up}).__name__)
            return operator, inspect, dep
        test(sys.modules[__name__])
        """.replace("return operator, inspect, dep",
                    "return operator, inspect, lambda: dep"))


@pytest.mark.parametrize("expression, expected", [
    ("'dep' in d", "True"), ("hasattr(main, 'dep')", "True"),
    ("len([k for k in d if k == 'dep'])", "1"),
    ("'dep' in dir(main)", "True"), ("'dep' in set(d)", "True"),
    ("sorted(d).count('dep')", "1"),
    ("type([k for k in dir(main) if k.startswith('de')][0])",
     "<class 'str'>"),
    ("{k: 1 for k in d}['dep']", "1"), ("'dep' in list(d)", "True"),
    ("'dep' in d.keys()", "True"), ("'absent' in d", "False"),
])
def test_membership(both, expression, expected):
    """4.1: `in`, iteration and dir() tell of a pending name as of others."""
    run = both({"dep.py": ""}, f"""\
        import sys
        import dep
        def test(main, d):
            print({expression})
        def use():
            return dep
        test(sys.modules[__name__], sys.modules[__name__].__dict__)
        """)
    assert run.out == expected + "\n"


ALL_NAMES = "f, decorator, Meta, C, Oops, manager, number, text, things"


@pytest.mark.parametrize("use", [
    "print(f())", "print(f.__name__)", "print(list(map(f, range(2))))",
    "print([f(i) for i in range(2)])", "g = f\nprint(g(1))",
    "def h(x=f):\n    return x()\nprint(h())",
    "@decorator\ndef h():\n    return 1\nprint(h())",
    "class D(C):\n    pass\nprint(D.__mro__[1].__name__, D().m())",
    "class D(metaclass=Meta):\n    pass\nprint(type(D).__name__)",
    "print(isinstance(C(), C), issubclass(C, C))",
    "try:\n    raise Oops('x')\nexcept Oops as e:\n    print(type(e))",
    "with manager() as m:\n    print(m)",
    "print(number + 1, -number, number == 3, {number: 1}[3])",
    "print(f'{number:03d} {text!r}', '%s' % text)",
    "print(sorted([number, 1]), max(number, 2), range(number))",
    "print(*things)", "a, b = things\nprint(a, b)", "print(things[0])",
    "match number:\n    case 3:\n        print('three')",
    "match C():\n    case C():\n        print('C')",
    "for t in things:\n    print(t)",
    "print(text if number else things)",
    "def g():\n    yield from things\nprint(list(g()))",
    "x: C = C()\nprint(__annotations__['x'].__name__)",
    "print((lambda: number)())", "del number\nprint('number' in globals())",
    "number += 1\nprint(number)",
    "class D:\n    n = number\nprint(D.n, type(D.n))",
    "def g(a: C) -> C:\n    pass\nprint(g.__annotations__['a'].__name__)",
    "things2 = things\nprint(things2 is things)",
])
def test_code_never_sees_a_proxy(both, use):
    """4.1: whatever a program does with a from-imported name, it does it with
    the value."""
    both({"dep.py": """\
        import contextlib
        def f(x=0):
            return x
        def decorator(function):
            return lambda: function() + 1
        class Meta(type):
            pass
        class C:
            def m(self):
                return "m"
        class Oops(Exception):
            pass
        @contextlib.contextmanager
        def manager():
            yield "managed"
        number, text, things = 3, "text", ("a", "b")
        """}, f"from dep import ({ALL_NAMES})\ndef keep():\n"
              f"    return {ALL_NAMES}\n{use}\n")


def test_statements_add_up_on_one_name(both):
    """Hazard `import a.b` binds `a`: several statements add up on one key."""
    run = both({"a/__init__.py": "", "a/b.py": "name = 'b'\n",
                "a/c.py": "name = 'c'\n", "a/d.py": "name = 'd'\n"}, """\
        import a.b
        import a.c
        import a
        import a.d as d
        def main():
            print(a.b.name, a.c.name)
        main()
        def use():
            return d
        """)
    assert run.state("a.d") == "proxy"


NAMESPACE = """\
    import sys, dis
    from dep import value
    import dep
    def f():
        return value, dep, sys, limit
    limit = 3
    def main():
        dis.dis, sys.path
        for i in range(1000):
            f()
        names = [i.opname for i in dis.get_instructions(f, adaptive=True)]
        print([n for n in names if n.startswith("LOAD_GLOBAL")])
    main()
    """


def test_rebuilt_dict_is_the_same_object_in_the_same_order(both):
    """4.1: rebuilt in place: identity and order are those of eager code, and
    keys are exact str."""
    both({"dep.py": "a = b = 1\n"}, """\
        import sys
        names = sys.modules[__name__].__dict__
        from dep import b, a
        x = 1
        import dep
        def main():
            use = b, a, dep
            for i in range(200):
                main2()
            print(names is sys.modules[__name__].__dict__ is globals())
            print(list(names), {type(k).__name__ for k in names})
        def main2():
            return x
        main()
        """)


def test_rebuild_while_the_dict_is_iterated(both):
    """4.1: an iteration under way sees neither a change of size nor a name
    twice."""
    both({"dep.py": "a = b = c = 1\n", **{
        f"m{i}.py": f"value = {i}\n" for i in range(5)}}, """\
        import sys
        from dep import a, b, c
        import m0, m1, m2, m3, m4
        def test():
            seen = []
            for name in sys.modules[__name__].__dict__:
                seen.append(str(name))
                m0.value, m1.value, m2.value, m3.value, m4.value
                a, b, c
            print(seen)
        test()
        """)


def test_deleted_names_leave_no_trace(both):
    """4.1: a hole that `del` left in the dict does not come back."""
    both({"dep.py": "a = b = 1\n"}, """\
        gone = 1
        from dep import a, b
        also = 2
        del gone
        def use():
            return a, b
        use()
        del also
        later = 3
        print(list(globals()))
        """)


PROXIES = """\
    def proxies(module):
        return [v for v in list(dict.values(module.__dict__))
                if type(v).__name__ in ("ModuleProxy", "NameProxy")]
    """


@pytest.mark.parametrize("statement, kind, text", [
    ("import dep", "ModuleProxy", "import dep"),
    ("import pk.sub", "ModuleProxy", "import pk"),
    ("import pk.sub as d", "ModuleProxy", "import pk.sub"),
    ("from dep import value", "NameProxy", "from dep import value"),
])
def test_repr_says_what_is_pending_and_loads_nothing(lazily, statement, kind,
                                                     text):
    """4.1: a leaked proxy's repr says what is pending and loads nothing."""
    name = bound_name(statement)
    run = lazily({**FILES, "user.py": statement + f"\ndef f():\n"
                  f"    return {name}\n", "holders.py": PROXIES}, """\
        import sys
        from holders import proxies
        import user
        def main():
            [proxy] = proxies(user)
            print(type(proxy).__name__, repr(proxy))
            assert "dep" not in sys.modules and "pk" not in sys.modules
            user.f()
            print(repr(proxy))
        main()
        """)
    first, second = run.out.splitlines()
    assert first.startswith(f"{kind} <{kind} '{text}' at ")
    assert first.endswith("user.py:1, pending>")
    assert second.endswith("user.py:1, loaded>")


def test_pending_loads_nothing(lazily):
    """lazycore.pending() names what is pending and loads nothing."""
    lazily({"dep.py": "value = 1\n"}, """\
        import sys
        import lazycore
        import dep
        from dep import value as v
        def use():
            return dep, v
        def main():
            module = sys.modules["__main__"]
            assert lazycore.pending(module) == ["dep", "v"]
            assert {type(n) for n in lazycore.pending(module)} == {str}
            assert "dep" not in sys.modules
            use()
            assert lazycore.pending(module) == []
            try:
                lazycore.pending("dep")
            except TypeError as error:
                assert "module" in str(error)
            else:
                raise AssertionError("a str was taken for a module")
        main()
        """)


@pytest.mark.parametrize("count", [1, 40, 600])
def test_many_names_and_extended_arguments(both, count):
    """4.1: statements whose opcodes need EXTENDED_ARG, and statements of more
    names than we care to read, which are eager."""
    names = [f"n{i}" for i in range(1000)]
    chunks = [names[i:i + count] for i in range(0, 600, count)]
    run = both({"dep.py": "".join(f"{n} = {i}\n"
                                  for i, n in enumerate(names))},
               "".join(f"from dep import {', '.join(chunk)}\n"
                       for chunk in chunks)
               + f"def use():\n    return {' + '.join(names[:600])}\n"
               "print(use())\n")
    assert run.reason("dep") == ("unknown_shape" if count == 600 else "lazy")


def test_names_that_are_not_ascii(both):
    """4.1: names of any script, NFKC-normalised as the compiler has them."""
    both({"münze.py": "größe = 1\nﬁ = 2\n"}, """\
        import münze
        from münze import größe, ﬁ
        def main():
            print(münze.größe, größe, ﬁ, fi)
        main()
        """)


def test_no_leak_of_keys_or_proxies(lazily):
    """4.1: once all is bound, no proxy and no key is left alive."""
    lazily({"dep.py": "a = b = 1\n", "user.py": "from dep import a, b\n"
            "import dep\ndef f():\n    return a, b, dep\n"}, """\
        import gc, sys
        import user
        def main():
            user.f()
            for i in range(10):
                user.f()
            gc.collect()
            kinds = {"ModuleProxy", "NameProxy", "LazyKey"}
            left = [o for o in gc.get_objects()
                    if type(o).__name__ in kinds
                    and str(o) in ("a", "b", "dep")]
            assert left == [], left
        main()
        """)


def test_dict_is_rebuilt_and_look_up_specialised(both):
    """4.1: once no name is pending the dict is rebuilt in place; look-up is
    specialised as in eager code: LOAD_GLOBAL_MODULE."""
    run = both({"dep.py": "value = 1\n"}, NAMESPACE)
    assert "LOAD_GLOBAL_MODULE" in run.out
    assert run.pending == []


@pytest.mark.parametrize("deletes", [
    "x = 1\ndel x", "for i in range(9):\n    pass\ndel i",
    "def g():\n    pass\ndel g\nimport sys as s\ndel s"])
def test_dict_with_deleted_names_is_specialised(both, deletes):
    """4.1: the same for a module that deletes names: what keeps their place
    in the rebuilt dict leaves it in its fast form."""
    run = both({"dep.py": "value = 1\n", "user.py": f"""\
import dep
{deletes}
number = 1
def use():
    return dep, number
"""}, """\
        import contextlib, dis, io
        import user
        def main():
            for i in range(100):
                user.use()
            text = io.StringIO()
            with contextlib.redirect_stdout(text):
                dis.dis(user.use, adaptive=True)
            print(text.getvalue().count("LOAD_GLOBAL_MODULE"))
            print([name for name in user.__dict__ if name[0] != "_"])
        main()
        """)
    assert run.out.startswith("2\n")
