"""What programs do around imports: tracing, generators, __getattr__, exec.

Each program behaves as it does eagerly.
"""

import pytest

DEP = {"dep.py": "value = 'dep'\ndef f(x=1):\n    return x\n"}


@pytest.mark.parametrize("definition", [
    "def __getattr__(name):\n    if name[0] == 'd':\n        return name\n"
    "    raise AttributeError(name)\n",
    "import dep\ndef __getattr__(name):\n    return getattr(dep, name)\n",
    "def __getattr__(name):\n    import dep\n    return getattr(dep, name)\n",
    "def __getattr__(name):\n    return lambda: name\n"
    "def __dir__():\n    return ['x', 'y']\n",
])
def test_module_getattr(both, definition):
    """A module's __getattr__, asked by name, by from-import and by probes."""
    both({**DEP, "dynamic.py": definition}, """\
        import dynamic
        from dynamic import __getattr__ as g
        def main():
            for name in ("dumb", "value", "nothing"):
                try:
                    print(str(getattr(dynamic, name))[:9])
                except AttributeError as error:
                    print(error)
            print(dir(dynamic)[-2:], callable(g))
        main()
        """)


@pytest.mark.parametrize("name", ["dumb", "value", "nothing"])
def test_from_import_by_module_getattr(both, name):
    """from-imports that a module's __getattr__ answers or refuses."""
    both({**DEP, "dynamic.py": "import dep\ndef __getattr__(name):\n"
          "    if name == 'dumb':\n        return [name]\n"
          "    return getattr(dep, name)\n",
          "user.py": f"from dynamic import {name}\ndef f():\n"
                     f"    return {name}\n"}, """\
        def main():
            try:
                import user
                print(user.f(), user.f() is user.f())
            except ImportError as error:
                print(type(error).__name__, str(error).split(" (")[0])
        main()
        """)


def test_package_getattr_that_imports_submodules(both):
    """The lazy-loading idiom of packages (PEP 562)."""
    both({"pk/__init__.py": """\
        import importlib
        __all__ = ["a", "b"]
        def __getattr__(name):
            if name in __all__:
                return importlib.import_module("." + name, __name__)
            raise AttributeError(f"no {name}")
        def __dir__():
            return __all__
        """, "pk/a.py": "value = 'a'\n", "pk/b.py": "from pk import a\n"
                        "def f():\n    return a.value\n"}, """\
        import pk
        from pk import b
        import pk.a as x
        print(dir(pk), pk.a.value, b.f(), x.value, hasattr(pk, "c"))
        """)


TRACED = {
    "dep.py": "x = 1\ndef f():\n    y = 2\n    return y\n",
    "user.py": "import dep\nfrom dep import f\n\n\ndef g():\n"
               "    return dep.x + f()\n"}


@pytest.mark.parametrize("hook", ["sys.settrace", "sys.setprofile",
                                  "threading.settrace"])
def test_tracing(both, hook):
    """sys.settrace: statements are deferred and names found while code is
    traced; the same lines are seen, whatever their order."""
    run = both(TRACED, f"""\
        import sys, threading
        seen = set()
        def trace(frame, event, arg):
            name = frame.f_code.co_filename.split("/")[-1]
            if name in ("dep.py", "user.py"):
                seen.add((name, frame.f_lineno))
            return trace
        def main():
            {hook}(trace)
            import user
            user.g()
            {hook}(None)
            print(sorted(seen))
        def keep():
            return threading
        sys.path
        main()
        """)
    assert run.state("dep") == "real"


def test_tracing_finds_the_store_of_a_pending_name(both):
    """Instrumented code: stores and deletes of pending names under a trace
    function do not load."""
    run = both(DEP, """\
        import sys
        def trace(frame, event, arg):
            frame.f_trace_opcodes = True
            return trace
        def main():
            sys.settrace(trace)
            exec(code, sys.modules[__name__].__dict__)
            sys.settrace(None)
        code = compile("import dep\\nfrom dep import value\\ndel value\\n"
                       "dep = 1\\ndef keep():\\n    return dep, value\\n",
                       "code", "exec")
        main()
        print(dep)
        """)
    assert not run.loaded("dep")


def test_monitoring(both, version):
    """sys.monitoring where there is one: line and instruction events."""
    if version < (3, 12):
        pytest.skip("sys.monitoring came with 3.12")
    run = both(TRACED, """\
        import sys
        lines = set()
        M = sys.monitoring
        def main():
            M.use_tool_id(1, "test")
            M.register_callback(1, M.events.LINE, lambda c, n: lines.add(
                (c.co_filename.split("/")[-1], n)))
            M.register_callback(1, M.events.INSTRUCTION, lambda c, o: None)
            M.set_events(1, M.events.LINE | M.events.INSTRUCTION)
            import user
            user.g()
            M.set_events(1, 0)
            print(sorted(x for x in lines if x[0] in ("user.py", "dep.py")))
        main()
        """)
    assert run.reason("dep") == "lazy"


def test_traced_by_the_trace_module(both):
    """The standard library's own coverage tool over a lazy program."""
    both(TRACED, """\
        import trace
        def main():
            tracer = trace.Trace(count=1, trace=0)
            tracer.runfunc(lambda: __import__("user").g())
            counts = tracer.results().counts
            print(sorted((f.split("/")[-1], n, c) for (f, n), c in
                         counts.items() if f.endswith(("dep.py", "user.py"))))
        main()
        """)


def test_profile(both):
    """cProfile over first touches."""
    both(TRACED, """\
        import cProfile, pstats
        import user
        def main():
            profile = cProfile.Profile()
            print(profile.runcall(user.g))
            names = {f[2] for f in pstats.Stats(profile).stats}
            print("g" in names, "f" in names)
        main()
        """)


def test_generators_and_coroutines(both):
    """First touches inside generators, from several suspended frames."""
    both({f"m{i}.py": f"value = {i}\n" for i in range(4)}, """\
        import m0, m1, m2, m3
        def numbers():
            yield m0.value
            yield m1.value
            try:
                yield m2.value
            finally:
                print("closed", m3.value)
        async def later():
            return [m async for m in agen()]
        async def agen():
            for n in numbers():
                yield n
        def run(coroutine):
            try:
                coroutine.send(None)
            except StopIteration as stop:
                return stop.value
        a, b = numbers(), numbers()
        print(next(a), next(b), next(a), next(a))
        a.close()
        print(list(b), run(later()))
        """)


@pytest.mark.parametrize("code", [
    "eval('dep.value')", "eval('dep.value', globals())",
    "eval('value', {'value': value})", "eval('dep', globals(), {}).value",
    "eval(compile('dep.f(3)', 'x', 'eval'))",
    "exec('import dep as d\\nprint(d.value)')",
    "exec('from dep import value as v\\nprint(v)', {})",
    "exec('global g\\ng = dep.value') or g",
    "(lambda: eval('dep.value'))()",
    "[eval('dep.value', {**globals()}) for i in range(2)]",
    "type('C', (), dict(globals())).dep.value",
    "__import__('string').Template('$value').substitute(globals())",
    "'{value} {dep.value}'.format(**globals())",
    "'%(value)s' % globals()", "'{value}'.format_map(globals())",
])
def test_eval_and_exec(both, code):
    """Code that is made at run time sees values."""
    both(DEP, f"""\
        import dep
        from dep import value
        def keep():
            return dep, value
        print({code})
        """)


def test_import_statements_in_eval_input(both):
    """code.InteractiveInterpreter and the prompt: statement by statement."""
    both(DEP, """\
        import code
        def main():
            console = code.InteractiveConsole({"__name__": "__console__"})
            for line in ("import dep", "from dep import value",
                         "print(dep.value, value)", "dep"):
                console.push(line)
        main()
        """)


def test_the_prompt(both):
    """`python -i` reading statements from standard input."""
    both(DEP, "import dep\n", options=["-i"],
         stdin="from dep import value\nimport json\nprint(dep.value, value, "
               "json.dumps(1))\nimport nowhere\nprint(2)\n")


@pytest.mark.parametrize("options", [
    ["-c", "import dep\nprint(dep.value)\ndef f():\n    return dep"],
    ["-m", "pk"], ["-m", "pk.tool"], ["pk"], ["-X", "importtime", "-m", "pk"],
    ["-O", "-m", "pk"], ["-X", "dev", "-m", "pk"], ["-v", "-m", "pk"],
    ["-W", "error", "-m", "pk"], ["-B", "-m", "pk"], ["-u", "-m", "pk"],
])
def test_ways_to_start(both, options):
    """Every way to start a program."""
    run = both({**DEP, "pk/__init__.py": "", "pk/dep.py": "value = 'inner'\n",
                "pk/tool.py": "import dep\nif __name__ == '__main__':\n"
                              "    print(dep.f(2))\n",
                "pk/__main__.py": "import dep\nprint(dep.value)\n"},
               "", file=None, options=options)
    assert run.reason("dep") == "lazy"


def test_program_on_standard_input(both):
    """A program on standard input."""
    both(DEP, "", file="-", stdin="import dep\nprint(dep.value)\n")


@pytest.mark.parametrize("program", [
    "import collections\nP = collections.namedtuple('P', 'a b')\n"
    "print(P(1, 2))",
    "import enum\nclass E(enum.Enum):\n    A = enum.auto()\nprint(E.A)",
    "import dataclasses\n@dataclasses.dataclass\nclass D:\n    x: int = 0\n"
    "print(D(3))",
    "from dataclasses import dataclass, field\n@dataclass\nclass D:\n"
    "    x: list = field(default_factory=list)\nprint(D())",
    "import typing\nfrom typing import NamedTuple, Optional\n"
    "class N(NamedTuple):\n    x: Optional[int] = None\n"
    "print(N(), typing.get_type_hints(N))",
    "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n"
    "    def f(self): pass\ntry:\n    A()\nexcept TypeError as e:\n"
    "    print(str(e)[:20])",
    "import functools\n@functools.lru_cache\ndef f(x):\n    return x\n"
    "print(f(1), f.cache_info())",
    "import logging\nlogging.basicConfig(format='%(message)s')\n"
    "log = logging.getLogger(__name__)\nlog.warning('x')\nprint(log.name)",
    "import argparse\np = argparse.ArgumentParser(prog='x')\n"
    "p.add_argument('--a', type=int)\nprint(p.parse_args(['--a', '1']).a)",
    "import re, json, datetime, decimal\n"
    "print(re.sub('a', 'b', 'aa'), json.loads('[1]'), "
    "datetime.date(2020, 1, 1), decimal.Decimal('1.1'))",
    "import sqlite3\nc = sqlite3.connect(':memory:')\n"
    "print(c.execute('select 1').fetchall())",
    "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
    "        self.assertEqual(1, 1)\n"
    "print(unittest.TextTestRunner(stream=open('out', 'w'))"
    ".run(unittest.defaultTestLoader.loadTestsFromTestCase(T)))",
    "import xml.etree.ElementTree as ET\nprint(ET.fromstring('<a b=\"1\"/>')"
    ".attrib)",
    "import http.server, urllib.request\n"
    "print(http.server.HTTPServer.__name__,"
    " urllib.request.Request('http://a/b').host)",
    "import email.mime.text\n"
    "print(email.mime.text.MIMEText('x').get_payload())",
    "import ctypes\nprint(ctypes.sizeof(ctypes.c_int))",
    "import concurrent.futures as cf\nwith cf.ThreadPoolExecutor(2) as p:\n"
    "    print(list(p.map(str, range(3))))",
    "import importlib.metadata as m\nprint(callable(m.version))",
    "import os.path, os\nprint(os.path.join('a', 'b') == 'a/b', os.sep)",
    "import codecs\n"
    "print(codecs.lookup('latin-1').name, 'ä'.encode('cp437'))",
    "import multiprocessing.pool\nprint(multiprocessing.pool.ThreadPool"
    ".__name__)",
    "import pathlib, tempfile, shutil\nd = tempfile.mkdtemp()\n"
    "shutil.rmtree(d)\nprint(pathlib.Path(d).exists())",
    "import inspect\nprint(inspect.signature(inspect.getdoc))",
    "import warnings\nwith warnings.catch_warnings(record=True) as w:\n"
    "    warnings.simplefilter('always')\n    warnings.warn('x')\n"
    "print(len(w))",
    "import locale, gettext, string, textwrap, uuid, hashlib, hmac\n"
    "print(textwrap.dedent(' x'), string.digits, "
    "hashlib.sha256(b'').hexdigest()[:4], uuid.UUID(int=1))",
    "import curses.ascii, csv, configparser, zipfile, tarfile, gzip, bz2\n"
    "print(csv.__name__, zipfile.ZipFile.__name__, gzip.compress(b'')[:2])",
])
def test_standard_library(both, program):
    """Programs over the standard library, each import of it lazy."""
    both({}, program + "\n")
