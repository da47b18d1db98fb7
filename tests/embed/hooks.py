"""A life in whose last moments pending names are touched: by atexit handlers,
which run while Python still works, and by __del__, which may run after."""
import atexit
import sys
import files

USER = """\
import dep, gone, json, fractions
from dep import value
from gone import nothing

class Late:
    def __init__(self, *held):
        self.held = held

    def __del__(self):
        for touch in self.touches:
            try:
                touch()
            except Exception:
                pass

Late.touches = [lambda: dep.value, lambda: value, lambda: json.dumps([1]),
           lambda: gone.x, lambda: nothing, lambda: fractions.Fraction,
           lambda: globals().get("fractions"), lambda: dir(),
           lambda: repr(vars()), lambda: __import__("fractions")]
late = Late()

def at_exit():
    import os
    assert (dep.value, value, json.dumps([1])) == (1, 1, "[1]")
    with open("atexit-ran", "w") as file:
        file.write("%d" % dep.value)
"""

files.write({"dep.py": "value = 1\n", "user.py": USER,
             "gone.py": "raise ValueError('on purpose')\n",
             "untouched.py": USER.replace("def at_exit", "def never")})


def main():
    import user
    import untouched
    atexit.register(user.at_exit)
    for module in user, untouched:
        module.loop = [module.Late(module)]
        module.loop.append(module.loop)
        setattr(sys, "kept_" + module.__name__, module.Late(module))


main()
