"""Modules of the program's own that are free of effects: --check-levels writes
which, and with --level-file they wait within their package."""
import os
import re

import pytest

# Must be outer: one and two register, and nobody names them. The others may
# wait, but for those that import each other.
FILES = {
    "shop/__init__.py": "plugins = []\nfrom shop import one, two\n"
                        "from shop import models\nfrom shop import views\n"
                        "from shop import ring, late\n"
                        "names = lambda: (one, two, models, ring, views, late)"
                        "\n",
    "shop/one.py": "from shop import plugins\nplugins.append(1)\n",
    "shop/two.py": "from shop import plugins\nplugins.append(2)\n",
    "shop/base.py": "class Base:\n    kind = 'base'\n",
    "shop/models.py": """
        import dataclasses
        from shop.base import Base
        @dataclasses.dataclass
        class Item(Base):
            name: str = "x"
        """,
    "shop/views.py": "from shop import plugins, hooks\n"
                     "from shop.models import Item\n"
                     "def view():\n    return Item(), hooks, plugins\n",
    "shop/hooks.py": "from shop import plugins\nplugins.append('hook')\n",
    "shop/ring.py": "import shop.other\nclass R: pass\n",
    "shop/other.py": "import shop.ring\nclass O: pass\n",
    "shop/late.py": """
        import os
        if os.environ.get("SHOP_LATE"):
            from shop import two
        else:
            import shop.base
        x = 1
        """,
}
APP = """
    import os
    import sys
    import shop
    print(sorted(map(str, shop.plugins)))
    def main():
        for name in os.environ.get("SHOP_USE", "").split():
            print(getattr(shop, name).__name__)
        if os.environ.get("SHOP_STATES"):
            import lazycore
            names = sorted(os.listdir(os.path.dirname(shop.__file__)))
            print("waits:", *(name for name in names if
                              (lazycore.show("shop." + name[:-3]) or {})
                              .get("state") == "proxy"), file=sys.stderr)
    main()
    """


@pytest.fixture
def shop(lab):
    for name, text in FILES.items():
        lab.write(name, text)
    return lab.write("app.py", APP)


def waits_of(done):
    line, = [line for line in done.err.splitlines()
             if line.startswith("waits:")]
    return line.split()[1:]


def waiting(lab, app, *options, **env):
    """(standard output, the files of shop whose modules wait at the end)"""
    done = lab.foreground(*options, "--app", app,
                          env={"SHOP_STATES": "1", **env})
    return done.out, waits_of(done)


def rows(path):
    return {line.split()[1]: line.split()[2:] for line in
            path.read_text().splitlines() if line.startswith("module ")}


@pytest.fixture
def checked(lab, shop):
    """(app, level file)"""
    out = lab.folder / "levels"
    done = lab.lazyd("--check-levels", "-o", out, "--app", shop)
    assert "'shop' must be outer" in done.err
    assert "modules of packages at outer are free of effects" in done.err
    return shop, out


def test_written_and_read(lab, checked):
    app, out = checked
    found = rows(out)
    assert {name for name, row in found.items() if row[0] == "free"} == {
        "shop", "shop.base", "shop.models", "shop.views"}
    assert found["shop.hooks"][0] == found["shop.ring"][0] == "effects"
    assert found["shop.models"][4] == "shop,shop.base"
    assert found["shop.base"][1] == "file" and found["shop"][1] == "package"
    assert int(found["shop.base"][3]) == os.path.getsize(
        lab.folder / "shop/base.py")
    assert re.fullmatch("[0-9a-f]{16}", found["shop.base"][2])
    eager = lab.foreground("--lazy=off", "--app", app).out
    plain, waits = waiting(lab, app)
    assert plain == eager and waits == []
    plain, waits = waiting(lab, app, "--level-file", out)
    assert plain == eager == "['1', '2', 'hook']\n"
    assert "models.py" in waits and "views.py" in waits
    # In a cycle, or with an import under a condition that has effects.
    assert not {"ring.py", "other.py", "late.py"} & set(waits)
    used, waits = waiting(lab, app, "--level-file", out,
                          SHOP_USE="models views")
    assert used == eager + "shop.models\nshop.views\n"
    assert waits == []


def test_another_source_does_not_count(lab, checked):
    app, out = checked
    size = os.path.getsize(lab.folder / "shop/base.py")
    text = (lab.folder / "shop/base.py").read_text()
    (lab.folder / "shop/base.py").write_text(text.replace("'base'", "'BASE'"))
    assert os.path.getsize(lab.folder / "shop/base.py") == size
    done = lab.foreground("--level-file", out, "--app", app,
                          env={"SHOP_STATES": "1"})
    # What takes a class from there does not wait, either.
    assert "models.py" not in waits_of(done)
    assert done.out == "['1', '2', 'hook']\n"
    assert done.err.count("level file: the source of 'shop.base'") == 1


def test_source_of_what_is_not_free_counts_too(lab, checked):
    """Its classes and decorators may register from now on."""
    app, out = checked
    with open(lab.folder / "shop/hooks.py", "a") as file:
        file.write("# more\n")
    _, waits = waiting(lab, app, "--level-file", out)
    assert "views.py" not in waits and "models.py" in waits


@pytest.mark.parametrize("line, what", [
    ("module a.b free file 0123456789abcdef 10", "has fewer than six fields"),
    ("module a.b free file 0123456789abcdef 10 - -", "has more than six"),
    ("module a..b free file 0123456789abcdef 10 -", "with a module's name"),
    ("module a maybe file 0123456789abcdef 10 -", "neither 'free' nor"),
    ("module a free dir 0123456789abcdef 10 -", "neither 'package' nor"),
    ("module a free file 0123 10 -", "has no hash of 16 digits"),
    ("module a free file 0000000000000000 10 -", "has no hash"),
    ("module a free file 0123456789abcdef -1 -", "has no size in bytes"),
    ("module a free file 0123456789abcdef 10 b", "imports 'b', which has no"),
    ("module a free file 0123456789abcdef 10 ,", "has no imports"),
    ("module a free file 0123456789abcdef 10 -\n"
     "module a free file 0123456789abcdef 10 -", "is the second one of 'a'"),
    pytest.param("a=full\0b=full", "is no text", id="nul"),
    pytest.param("#" * 200000, "is longer than 131072 bytes", id="long"),
])
def test_refused_lines(lab, shop, line, what):
    path = lab.folder / "levels"
    path.write_text("# a comment\n" + line + "\n")
    done = lab.lazyd("--level-file", path, "--check", "--app", shop, status=1)
    assert re.search(rf"levels' line [23] .*{re.escape(what)}", done.err)
