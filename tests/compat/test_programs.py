"""Programs of this folder do the same under lazyd as under python3.

Each is a small real program: it imports as such programs do, and prints what
came of it. Standard output and exit status are compared; the programs are run
in a folder of their own, where they may write.
"""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = os.path.realpath("/usr/bin/python3")
PROGRAMS = sorted(path.relative_to(HERE).as_posix()
                  for path in [*HERE.glob("programs/*.py"),
                               *HERE.glob("programs/*/__main__.py")])
TIMEOUT_S = 120


def run(command, folder):
    folder.mkdir()
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith("PYTHON")}
    environment.update(HOME=str(folder), TMPDIR=str(folder),
                       PYTHONHASHSEED="0", LANG="C.UTF-8")
    return subprocess.run(command, cwd=folder, env=environment, text=True,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def target(program):
    path = HERE / program
    return path.parent if path.name == "__main__.py" else path


def test_programs_are_there():
    assert len(PROGRAMS) >= 10


@pytest.mark.parametrize("options", [[], ["--lazy=off"]],
                         ids=["lazy", "off"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program, options, tmp_path):
    app = target(program)
    plain = run([PYTHON, app], tmp_path / "plain")
    if plain.returncode == 77:
        pytest.skip(plain.stdout.strip())
    assert plain.stdout, plain.stderr
    lazyd = [os.environ["LAZYD"], "-F", "--no-socket", *options]
    lazy = run([*lazyd, "--app", app], tmp_path / "lazy")
    assert lazy.stdout == plain.stdout, lazy.stderr
    assert lazy.returncode == plain.returncode, lazy.stderr
