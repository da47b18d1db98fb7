# needs: python3-pexpect python3-ptyprocess python3-invoke python3-fabric python3-psutil python3-docopt python3-typer python3-paramiko
# packages: pexpect ptyprocess invoke fabric psutil docopt typer
"""An operator's tools: programs talked to through a terminal, tasks and
their collections, connections that are not made, processes, two command
lines."""
import contextlib
import enum
import io
import os
import signal
from typing import List, Optional

import docopt
import fabric
import fabric.config
import invoke
import pexpect
import pexpect.popen_spawn
import psutil
import typer
import typer.main
from fabric.exceptions import GroupException
from fabric.group import SerialGroup, ThreadingGroup
from invoke import Collection, Context, MockContext, Program, Responder, Result, task
from invoke.exceptions import CollectionNotFound, Exit, UnexpectedExit
from invoke.parser import Argument, Parser, ParserContext
from invoke.runners import Local
from pexpect import EOF, TIMEOUT, fdpexpect, replwrap
from pexpect.exceptions import ExceptionPexpect
from psutil import AccessDenied, NoSuchProcess
from ptyprocess import PtyProcess
from typer.testing import CliRunner

USAGE = """Ships.

Usage:
  ship new <name>... [--speed=<kn>]
  ship move <x> <y> [-v | -q]
  ship --version

Options:
  --speed=<kn>  Speed [default: 10].
  -v            Loud.
"""
app = typer.Typer(help="Tiny tool.")
sub = typer.Typer()
app.add_typer(sub, name="sub")


class Colour(str, enum.Enum):
    red = "red"
    blue = "blue"


@app.command()
def greet(name: str, times: int = typer.Option(1, "--times", "-t", min=1),
          colour: Colour = Colour.red, tags: Optional[List[str]] = None,
          loud: bool = typer.Option(False, envvar="LOUD")):
    """Say hello."""
    for _ in range(times):
        typer.secho(f"hi {name} {colour.value} {list(tags or ())} {loud}", fg="red")


@sub.command("stop")
def halt(code: int = typer.Argument(3)):
    if not typer.confirm("sure?"):
        raise typer.Abort()
    raise typer.Exit(code)


@task
def clean(c):
    print("clean")


@task(pre=[clean], aliases=["b"], iterable=["flag"], help={"name": "what"})
def build(c, name="all", flag=None, count=2):
    """Build it."""
    done = c.run(f"printf '%s' {name}; printf err >&2", hide=True, in_stream=False)
    print("built", done.stdout, done.stderr, flag, count, c.config.tiny.level)


class Shouting(Local):
    def process_is_finished_text(self):
        return "done"


def talks():
    child = pexpect.spawn("/bin/sh", ["-c", "read x; echo got $x; exit 3"],
                          encoding="utf-8", timeout=20, echo=False)
    child.sendline("word")
    print(child.expect([TIMEOUT, r"got (\w+)", EOF]), child.match.group(1))
    child.expect(EOF)
    child.close()
    print(child.exitstatus, pexpect.run("echo x", withexitstatus=True))
    shell = replwrap.REPLWrapper("/usr/bin/env -i PATH=/bin:/usr/bin /bin/sh",
                                 "$ " if os.getuid() else "# ", "PS1='{0}' PS2='{1}' "
                                 "PROMPT_COMMAND=''")
    print(shell.run_command("echo $((6*7))").strip())
    pipe = pexpect.popen_spawn.PopenSpawn("cat", encoding="utf-8")
    pipe.sendline("abc")
    print(pipe.expect_exact(["x", "abc"]), pipe.kill(signal.SIGTERM), pipe.wait() != 0)
    read, write = os.pipe()
    os.write(write, b"from a pipe")
    print(fdpexpect.fdspawn(read, timeout=9).expect(b"a p.pe"))
    try:
        pexpect.spawn("/none/such")
    except ExceptionPexpect as error:
        print(error.value[:26])
    pty = PtyProcess.spawn(["sh", "-c", "stty size; exit 1"], dimensions=(11, 22))
    print(pty.readline(), pty.wait())


def tasks():
    space = Collection(build, clean, sub=Collection("sub", clean))
    space.configure({"tiny": {"level": 5}})
    program = Program("1.0", namespace=space, name="tool")
    for line in ("build --name=x --flag a --flag b", "sub.clean b -c 7", "--list",
                 "--help build", "nothing", "build --none"):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                program.run("tool " + line, exit=False)
            except Exit as error:
                print("exit", error.code)
        print(line, "->", out.getvalue(), err.getvalue())
    c = Context(invoke.Config(overrides={"run": {"hide": True, "in_stream": False}}))
    print(c.run("exit 4", warn=True).exited, c.run("cat", in_stream=io.StringIO(
        "in")).stdout, Result("a\n").tail("stdout", 1).strip(), c.run(
            "printf 'pw? '; read x; echo $x", watchers=[Responder("pw", "sesame\n")])
        .stdout.strip())
    for bad in (lambda: c.run("exit 2"), lambda: Collection.from_module(
            os).task_with_config("x"), lambda: invoke.FilesystemLoader(
                start="/").load("absent_tasks")):
        try:
            bad()
        except (UnexpectedExit, CollectionNotFound, ValueError, KeyError) as error:
            print(type(error).__name__)
    with c.cd("/"):
        print(c.cwd, MockContext(run=Result("mocked")).run("x").stdout)
    print(Parser([ParserContext("t", args=[Argument("num", kind=int)])]).parse_argv(
        ["t", "--num", "3"])[0].args.num.value, Shouting(c).process_is_finished_text())
    host = fabric.Connection("me@127.0.0.1:1", connect_timeout=1, config=fabric.config
                             .Config(overrides={"load_ssh_configs": False}))
    print(host, host.is_connected, host.local("echo near", hide=True, in_stream=False)
          .stdout.strip())
    for kind in (SerialGroup, ThreadingGroup):
        try:
            kind("127.0.0.1:1", connect_timeout=1).run("true", hide=True)
        except GroupException as error:
            print(kind.__name__, [type(e).__name__ for e in error.result.values()])


def system():
    me = psutil.Process()
    with me.oneshot():
        print(me.pid == os.getpid(), me.is_running(), me.status(), len(me.cmdline()) > 0,
              me.memory_info().rss > 0, me.parent() is not None, me.num_threads() > 0)
    child = psutil.Popen(["sleep", "60"])
    child.terminate()
    print(psutil.wait_procs([child], 9)[0][0].returncode, psutil.pid_exists(child.pid))
    print(psutil.virtual_memory()._fields[:2], psutil.cpu_count() > 0, "lo" in psutil
          .net_if_addrs(), psutil.disk_usage("/").total > 0, psutil.CONN_LISTEN,
          len(psutil.test.__name__))
    try:
        psutil.Process(2**22 + 5)
    except (NoSuchProcess, AccessDenied) as error:
        print(type(error).__name__)


talks()
tasks()
system()
for line in ("new a b --speed=5", "move 1 2 -v"):
    print(sorted(docopt.docopt(USAGE, line.split()).items()))
try:
    docopt.docopt(USAGE, ["none"])
except docopt.DocoptExit as error:
    print(str(error).splitlines()[0])
run = CliRunner()
for line in ("greet x -t 2 --colour blue --tags a --tags b", "greet", "greet x -t 0",
             "sub stop 4", "--help", "greet x --colour no", "nothing"):
    got = run.invoke(app, line.split(), input="y\n", env={"LOUD": "1", "COLUMNS": "70",
                                                          "TERMINAL_WIDTH": "70"})
    print(got.exit_code, got.stdout)
print(sorted(typer.main.get_command(app).commands))
