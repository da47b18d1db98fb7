"""Imports within a package by the record of effects, and what `import a.b` of
the standard library has to run."""
import importlib.machinery
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FLASK = "/usr/lib/python3/dist-packages/flask"
DJANGO = "/usr/lib/python3/dist-packages/django"

needs_flask = pytest.mark.skipif(not os.path.isdir(FLASK),
                                 reason="flask is not installed")
needs_django = pytest.mark.skipif(not os.path.isdir(DJANGO),
                                  reason="django is not installed")


@pytest.fixture(autouse=True)
def only_where_the_packages_are(version):
    if version != (3, 11):
        pytest.skip("the packages are for the system's Python")


@needs_flask
def test_free_modules_wait_at_outer(both):
    run = both({}, """\
        import sys
        sys.path.append("/usr/lib/python3/dist-packages")
        from flask import Flask
        def main():
            app = Flask("app")
            print(app.name)
        main()
        """, levels={"flask": "outer"})
    assert run.state("flask.blueprints") == "proxy"
    assert run.show("flask.app")["level"] == "outer"


@needs_flask
def test_another_source_is_not_the_recorded_one(both, lab):
    """One byte more, and the record says nothing of the package's module."""
    subprocess.run(["cp", "-r", FLASK, str(lab.folder / "flask")], check=True)
    with open(lab.folder / "flask" / "blueprints.py", "a") as file:
        file.write("\n")
    run = both({}, """\
        import sys
        sys.path.append("/usr/lib/python3/dist-packages")
        import flask
        print(flask.__file__ != "")
        """, levels={"flask": "outer"})
    assert run.state("flask.blueprints") != "proxy"


@needs_flask
def test_free_modules_that_are_handed_on_wait(both):
    """Rule 6 does not hold for them within their package: jinja2.defaults
    takes tables of filters and tests for others."""
    main = """\
        import sys
        sys.path.append("/usr/lib/python3/dist-packages")
        import jinja2.defaults
        print(jinja2.defaults.BLOCK_START_STRING)
        """
    run = both({}, main, levels={"jinja2": "outer"})
    assert run.state("jinja2.filters") == "proxy"
    assert run.state("jinja2.tests") == "proxy"
    both({}, main + """
        import jinja2
        print(sorted(jinja2.defaults.DEFAULT_FILTERS)[:3],
              len(jinja2.defaults.DEFAULT_TESTS) > 10,
              jinja2.Template("{{ x | upper }}").render(x="a"))
        """, levels={"jinja2": "outer"})


@needs_django
def test_effects_of_what_waits_are_there(both):
    """django.db.models.functions registers look-ups that a query names by
    text: nobody uses the module itself."""
    both({}, """\
        import sys
        sys.path.append("/usr/lib/python3/dist-packages")
        from django.conf import settings
        settings.configure(
            INSTALLED_APPS=[], DEFAULT_AUTO_FIELD="django.db.models.AutoField",
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                                   "NAME": ":memory:"}})
        import django
        django.setup()
        from django.db import connection, models
        class Note(models.Model):
            when = models.DateField()
            class Meta:
                app_label = "notes"
        print(sorted(models.DateField.get_lookups()))
        print(Note.objects.filter(when__year=2020, when__week_day=3).query)
        """)


GDAL_FAILS = """\
    import ctypes.util, sys, traceback
    sys.path.append("/usr/lib/python3/dist-packages")
    bodies = []
    def find_library(name):
        if name == "gdal":
            bodies.append(name)
    ctypes.util.find_library = find_library
    def fails(statement):
        bodies.clear()
        try:
            exec(statement, globals())
        except Exception as error:
            print(statement, type(error).__name__, str(error)[:30], bodies)
            traceback.print_exc(file=sys.stdout)
        else:
            print("imported", bodies)
    """


@needs_django
@pytest.mark.parametrize("name", ["", ".driver", ".layer", ".prototypes.ds"])
def test_what_fails_ahead_of_a_statement_runs_once(both, name):
    """Eight modules lead to gdal.libgdal, which nothing defers: each time it
    is tried, its body runs once, and the error comes at the statement."""
    both({}, GDAL_FAILS + f"""
    fails("import django.contrib.gis.gdal{name}")
    fails("from django.contrib.gis.forms import GeometryField")
    print([name for name in sys.modules if "gdal.layer" in name])
    """)


@needs_django
def test_what_fails_ahead_may_be_tried_again(both):
    both({}, GDAL_FAILS + """
    fails("import django.contrib.gis.gdal.driver")
    fails("import django.contrib.gis.gdal.driver")
    fails("import django.contrib.gis.gdal.libgdal")
    """)


def test_standard_submodules_are_only_shown(both):
    """`import a.b` of the standard library binds a and shows b on it."""
    run = both({"one.py": "import xml\nimport xml.sax.saxutils\n"
                          "import urllib.request\n"
                          "use = lambda: (xml, urllib)\n",
                "two.py": "import xml.dom.minidom as dom, xml.sax.handler\n"
                          "use = lambda: (dom, xml)\n"}, """\
        import one, two
        def main():
            xml, urllib = one.use()
            print(xml.__name__, urllib.__name__)
            print(hasattr(xml, "sax"), hasattr(urllib, "parse"))
            print(two.use()[1] is xml, xml.sax.saxutils.escape("<"))
            print(xml.sax.handler.ContentHandler.__name__)
        main()
        """)
    assert run.state("xml.sax.saxutils") == "real"


@pytest.mark.parametrize("use", ["urllib", "urllib.parse.quote(' ')"])
def test_use_of_the_package_leaves_its_submodule(lazily, use):
    run = lazily({"user.py": "import urllib\nimport urllib.request\n"
                             f"use = lambda: {use}\n"}, """\
        import user
        def main():
            user.use()
        main()
        """)
    assert run.state("urllib.request") == "proxy"


def test_locals_of_a_class_body_are_its_own(both):
    run = both({"dep.py": "print('run')\n"}, """\
        import dep
        class Kind:
            one = 1
            names = sorted(name for name in locals() if name[0] != "_")
        print(Kind.names)
        def never():
            return dep
        """ .replace("import dep", "import json as dep"))
    assert run.pending == ["dep"]


RECORDS = Path(__file__).resolve().parents[2] / "lazycore" / "effects"


def recorded_package(folder, bodies, package="flask"):
    """One with the names and sizes of the recorded PACKAGE. Of flask's modules
    flask.cli alone is not free: flask.app imports it."""
    files = {}
    for line in (RECORDS / f"{package}.tsv").read_text().splitlines():
        name, kind, size = line.split("\t")[:3]
        tail = "/__init__.py" if kind == "package" else ".py"
        body = bodies.get(name, "")
        body += "#" * (int(size) - len(body) - 1) + "\n"
        files[f"{folder}/{name.replace('.', '/')}{tail}"] = body[:int(size)]
    return files


BODIES = {
    "flask": "from . import app as app\nuse = lambda: app\n",
    "flask.app": "from . import cli\n",
    "flask.cli": "print('cli')\n",
}


def test_effects_come_again_with_a_package_that_is_loaded_again(both):
    """What has effects is imported for each load of the package."""
    run = both(recorded_package("lib", BODIES), """\
        import sys
        sys.path.insert(0, "lib")
        def load():
            import flask
            print(flask.__name__)
        load()
        for name in [name for name in sys.modules if name[:5] == "flask"]:
            del sys.modules[name]
        load()
        """, levels={"flask": "outer"})
    assert run.state("flask.app") == "proxy"


def test_effects_in_a_cycle_with_what_imports_them(both):
    """werkzeug.http is free, and datastructures is not: each imports the other.
    Which one begins is seen by the other."""
    run = both(recorded_package("lib", {
        "werkzeug": "from . import http as http\nuse = lambda: http\n",
        "werkzeug.http": "from .datastructures import helper\n"
                         "value = helper()\n",
        "werkzeug.datastructures":
            "from werkzeug import exceptions, http  # for others\n"
            "print('datastructures')\n"
            "def helper():\n    return 'help'\n",
    }, "werkzeug"), """\
        import sys
        sys.path.insert(0, "lib")
        import werkzeug
        def main():
            print(werkzeug.use().value)
        main()
        """, levels={"werkzeug": "outer"})
    assert run.state("werkzeug.http") == "eager"


def test_what_has_failed_in_its_guard_is_not_tried_ahead(both):
    """docker.transport imports two modules with effects, and in a guard a
    third, which fails there: to import the first brings the package and with
    it all three, and the third stays away."""
    both(recorded_package("lib", {
        "docker": "from .api import Client\n",
        "docker.api": "from .client import Client\n",
        "docker.api.client": "from ..transport import SSL, Unix\n"
                             "class Client:\n    parts = SSL, Unix\n",
        "docker.transport": "from .unixconn import Unix\n"
                            "from .ssladapter import SSL\n"
                            "try:\n    from .npipeconn import Pipe\n"
                            "except ImportError:\n    pass\n",
        "docker.transport.unixconn": "class Unix:\n    pass\n",
        "docker.transport.ssladapter": "class SSL:\n    pass\n",
        "docker.transport.npipeconn": "print('tried')\n"
                                      "from .npipesocket import Pipe\n",
        "docker.transport.npipesocket": "import no_such\n",
    }, "docker"), """\
        import sys
        sys.path.insert(0, "lib")
        import docker
        def main():
            print(docker.Client.__name__)
            print([name for name in dir(docker.transport) if name[0] != "_"])
            print([name for name in sys.modules if "npipe" in name])
        main()
        """, levels={"docker": "outer"})


def test_effects_that_another_thread_runs_are_waited_for(both):
    both(recorded_package("lib", {
        "flask.app": "from . import cli\n",
        "flask.cli": "import sys\nsys.began.set()\nsys.wait()\n"
                     "sys.marks.append('cli')\n",
        "flask.views": "from . import app as app\nimport sys\n"
                       "sys.marks.append('views')\nuse = lambda: app\n",
    }), """\
        import sys, threading
        sys.path.insert(0, "lib")
        sys.began, sys.marks = threading.Event(), []
        ended = threading.Event()
        sys.wait = lambda: ended.wait(0.3)
        import flask
        flask.__name__
        thread = threading.Thread(target=__import__, args=("flask.cli",))
        thread.start()
        sys.began.wait()
        def load():
            import flask.views
        load()
        ended.set()
        thread.join()
        print(sys.marks)
        """, levels={"flask": "outer"})


def test_names_are_taken_after_what_the_statement_ran(both):
    bodies = dict(BODIES)
    bodies["flask"] = ("value = 1\nfrom flask import value as taken, app\n"
                       "print(taken)\nuse = lambda: app\n")
    bodies["flask.cli"] = "import flask\nflask.value = 2\n"
    run = both(recorded_package("lib", bodies), """\
        import sys
        sys.path.insert(0, "lib")
        def load():
            import flask
            print(flask.__name__)
        load()
        """, levels={"flask": "outer"})
    assert run.state("flask.app") == "proxy"


@pytest.mark.parametrize("first", ["", "cmd.registry\n"])
def test_a_package_with_a_standard_name_is_not_the_standard_one(both, first):
    both({"cmd/__init__.py": "registry = []\n",
          "cmd/plugin.py": "import cmd\ncmd.registry.append('plugin')\n",
          "user.py": f"import cmd\n{first}import cmd.plugin\n"
                     "names = lambda: cmd.registry\n"}, """\
        import user
        def main():
            print(user.names())
        main()
        """)


COLORAMA = "/usr/lib/python3/dist-packages/colorama"
needs_colorama = pytest.mark.skipif(not os.path.isdir(COLORAMA),
                                    reason="colorama is not installed")
GUARDED = """\
try:
    import colorama
except {0}:
    colorama = "no"
def use():
    return colorama
"""
SETUP = "import sys\n{0}\nimport user\nuser.use\n"
USED = "print(getattr(user.use(), '__version__', user.use()))\n"
ADDED = "sys.path.append('/usr/lib/python3/dist-packages')"


@needs_colorama
@pytest.mark.parametrize("kinds", ["ImportError", "ModuleNotFoundError"])
def test_what_cannot_raise_waits_in_a_guard(both, kinds):
    files = {"user.py": GUARDED.format(kinds)}
    run = both(files, SETUP.format(ADDED))
    assert run.state("colorama") == "proxy"
    both(files, SETUP.format(ADDED) + USED)


@needs_colorama
@pytest.mark.parametrize("guard", [
    GUARDED.format("Exception"), GUARDED.format("(ImportError, OSError)"),
    GUARDED.format("ImportError").replace(
        "def use", "except Exception:\n    pass\ndef use"),
    GUARDED.format("").replace("except :", "except:"),
    "try:\n    try:\n        import colorama\n    except ImportError:\n"
    "        pass\nexcept ValueError:\n    pass\n"
    "def use():\n    return colorama\n",
    "try:\n    from colorama import Fore as colorama\n"
    "except ImportError:\n    colorama = None\n"
    "def use():\n    return colorama\n",
])
def test_what_else_it_may_raise_is_not_recorded(both, guard):
    run = both({"user.py": guard}, SETUP.format(ADDED))
    assert run.state("colorama") == "eager"
    assert run.reason("colorama") == "guarded"


@needs_colorama
@pytest.mark.parametrize("setup", [
    ADDED + "\nsys.modules['colorama'] = None",
    ADDED + "\nsys.modules['colorama.win32'] = None",
    "sys.path.insert(0, 'changed')",
    "sys.path.insert(0, 'shorter')",
])
def test_what_may_raise_is_loaded_in_its_guard(both, lab, setup):
    """Missing, or not as it is recorded."""
    for name in ("changed", "shorter"):
        (lab.folder / name).mkdir()
        subprocess.run(["cp", "-r", COLORAMA, str(lab.folder / name)],
                       check=True)
    with open(lab.folder / "changed/colorama/ansi.py", "a") as file:
        file.write("\nimport nowhere_at_all\n")
    os.unlink(lab.folder / "shorter/colorama/winterm.py")
    run = both({"user.py": GUARDED.format("ImportError")},
               SETUP.format(setup) + USED)
    assert run.out == "no\n"


@needs_colorama
@pytest.mark.parametrize("name", [
    "ansi/__init__.py", "ansi" + importlib.machinery.EXTENSION_SUFFIXES[-1]])
def test_what_is_found_before_a_source_may_raise(both, lab, name):
    shutil.copytree(COLORAMA, lab.folder / "own/colorama")
    run = both({"user.py": GUARDED.format("ImportError"),
                f"own/colorama/{name}": "import nowhere_at_all\n"},
               SETUP.format("sys.path.insert(0, 'own')") + USED)
    assert run.out == "no\n"


@needs_colorama
def test_what_hides_the_standard_library_may_raise(both):
    hidden = "sys.modules.pop('contextlib', None)\nsys.path.insert(0, 'own')"
    run = both({"user.py": GUARDED.format("ImportError"),
                "own/contextlib.py": "import nowhere_at_all\n"},
               SETUP.format(f"{ADDED}\n{hidden}") + USED)
    assert run.out == "no\n"


def test_each_version_has_its_record(both, lab):
    """Modules of the size that a newer Tornado has are taken for its own."""
    rows = {}
    for line in (RECORDS / "tornado-6.5.tsv").read_text().splitlines():
        name, _, size, state, *_ = line.split("\t")
        rows[name] = int(size), state
    for longer in (0, 1):
        for name, file in (("tornado", "__init__"),
                           ("tornado._locale_data", "_locale_data")):
            size, state = rows[name]
            assert state == "free"
            lab.write({f"tornado/{file}.py":
                       "#".ljust(size + longer - 1, "-") + "\n"})
        lab.write({"tornado/own.py": "from tornado import _locale_data\n"
                   "def use():\n    return _locale_data\n"})
        run = both({}, "import tornado.own\nprint(tornado.own.__name__)\n")
        assert (run.state("tornado._locale_data") == "proxy") == (not longer)
