"""One life of an interpreter: names deferred, used, failing and reloaded."""
import lazycore
import files

USER = """\
import dep, broken, change, json, pk.sub
from dep import value
from change import f
from fractions import Fraction as F

def use():
    return dep.value, value, json.dumps([1]), pk.sub.value, str(F(1, 2))

def fail():
    return broken.value

def changed():
    return change.f(), f()
"""
PENDING = {"dep", "broken", "change", "json", "pk", "value", "f", "F"}


def check_use(user):
    assert set(lazycore.pending(user)) == PENDING, lazycore.pending(user)
    assert repr(vars(lazycore)["proxies"])
    assert "dep" in lazycore.proxies
    assert user.use() == (1, 1, "[1]", 2, "1/2")
    assert "dep" in lazycore.reals
    assert set(lazycore.pending(user)) == {"broken", "change", "f"}


def check_failure(user):
    for _ in range(2):
        try:
            user.fail()
        except ValueError as error:
            assert "user.py:1" in error.__notes__[0], error.__notes__
        else:
            raise AssertionError("a broken module has loaded")
    files.write({"broken.py": "value = 'whole'\n"})
    assert user.fail() == "whole"


def check_reload(user):
    assert lazycore.reload("change")["verdict"] == "not_loaded"
    assert user.changed() == (1, 1)
    files.write({"change.py": "def f():\n    return 'changed'\n"})
    answer = lazycore.reload("change")
    assert answer["verdict"] == "applied", answer
    assert user.changed() == ("changed", "changed")
    files.write({"change.py": "def f(:\n"})
    assert lazycore.reload("change")["verdict"] == "failed"
    assert user.changed() == ("changed", "changed")


def check_repeat():
    lazycore.uninstall()
    lazycore.uninstall()
    lazycore.install()
    files.write({"again.py": "import late\ndef f():\n    return late.x\n",
                 "late.py": "x = 1\n"})
    import again
    assert lazycore.pending(again) == ["late"]
    assert again.f() == 1


def main():
    files.write({"dep.py": "value = 1\n",
                 "broken.py": "raise ValueError('on purpose')\n",
                 "change.py": "def f():\n    return 1\n",
                 "pk/__init__.py": "", "pk/sub.py": "value = 2\n",
                 "user.py": USER})
    import user
    check_use(user)
    check_failure(user)
    check_reload(user)
    check_repeat()


main()
