"""A service that does something to its own host, and what is true then."""
import os
import textwrap

# The rest of the program runs when somebody writes to this.
AWAIT_GO = """
import lazycore
lazycore.ready()
open("go").read()
"""
GONE = "ended out of order"


class Faulty:
    """A service that does what it does to itself at a word."""

    def __init__(self, lab, fault, *words, before="", **how):
        self.lab = lab
        os.mkfifo(lab.folder / "go")
        app = lab.write("app.py", textwrap.dedent(before) + AWAIT_GO
                        + textwrap.dedent(fault))
        self.process = lab.start(app, *words, **how)

    def go(self):
        (self.lab.folder / "go").write_text("go")

    def crash(self):
        """The end that nobody could prepare for."""
        self.go()
        assert self.process.ended()
        text = self.lab.logged(GONE)
        # What is left behind says that nobody is there...
        assert self.lab.socket.exists() and self.lab.pidfile.exists()
        assert "killed" in self.lab.ctl("ping", status=3).err
        restart(self.lab)
        return text

    def leave(self, last):
        """The end in order, with LAST in the log."""
        self.go()
        assert self.process.ended()
        assert not self.lab.socket.exists()
        assert not self.lab.pidfile.exists()
        assert GONE not in self.lab.logged(last)

    def stop(self):
        assert self.lab.ctl("stop").out.startswith("stopped")
        assert self.process.ended()
        assert not self.lab.socket.exists()
        assert not self.lab.pidfile.exists()


def restart(lab):
    """... and is in nobody's way."""
    process = lab.serve("", name="next.py")
    assert lab.ask("ping")["pid"] == process.pid
    lab.ctl("stop")
    assert process.ended()
    assert sorted(path.name for path in lab.folder.iterdir()
                  if path.name in (lab.socket.name, lab.pidfile.name)) == []


def foreground(lab, text, **how):
    return lab.foreground("--app", lab.write("fore.py", text), status=None,
                          **how)


def same(lab, text):
    """Under lazyd as under python3."""
    app = lab.write("fore.py", text)
    plain = lab.python(app, status=None)
    lazy = lab.foreground("--app", app, status=None)
    assert (lazy.status, lazy.out) == (plain.status, plain.out), lazy
    return lazy
