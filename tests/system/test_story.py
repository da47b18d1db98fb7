"""What a user can do with a service, from start to stop."""
import json
import pathlib
import zipfile

import pytest

from conftest import LAZYCTL, SERVE, SERVICES, Notes, get


def test_sample_service(notes, lab):
    assert notes.json() == {"ok": True, "notes": 0}
    before = lab.ask("stats")["modules"]
    assert before["proxies"] > 30
    assert before["lost"] == 0

    body = json.dumps({"title": "one", "body": "to be, or not to be"})
    made = notes.json("/notes", data=body.encode(), method="POST")
    assert notes.json("/note?id=" + made["id"]) == made
    assert b"not to be" in notes.get("/mail?id=" + made["id"])

    after = lab.ask("stats")["modules"]
    assert after["reals"] > before["reals"]
    assert lab.ask("show", "email.message")["state"] == "real"


def test_sample_service_answers_every_route(notes):
    for text in ("one two three", "one two four"):
        body = json.dumps({"title": "t", "body": text}).encode()
        notes.get("/notes", data=body, method="POST")
    assert b"one two three" in notes.get("/notes.csv")
    assert notes.get("/notes.zip").startswith(b"PK")
    assert notes.get("/notes.tar").startswith(b"\x1f\x8b")
    assert notes.get("/notes.xml").startswith(b"<notes>")
    assert notes.json("/crowd") == {"ok": True, "count": 8}
    assert notes.json("/later") == {"threaded": True}
    assert notes.json("/words")["common"][0] == ["one", 2]
    assert notes.json("/host")["pid"] == notes.process.pid
    assert len(notes.json("/digest")["sha256"]) == 64
    assert len(notes.get("/child")) == 9
    assert b"-three\n+four" in notes.get("/difference")


def test_a_proxy_turns_real_on_demand(notes, lab):
    assert lab.ask("show", "csv")["state"] == "proxy"
    listed = lab.ask("list", "--state", "proxies", "--match", "csv")
    assert [row["name"] for row in listed["modules"]] == ["csv"]
    result, = lab.ask("load", "csv")["results"]
    assert result["loaded"] and not result["already"]
    assert lab.ask("show", "csv")["state"] == "real"
    assert notes.get("/notes.csv").startswith(b"id,title")


@pytest.mark.parametrize("script, package", [
    ("flask_notes.py", "flask"), ("django_notes.py", "django"),
    ("sqlalchemy_notes.py", "sqlalchemy"), ("sympy_notes.py", "sympy"),
    ("tornado_notes.py", "tornado")])
def test_framework(lab, script, package):
    pytest.importorskip(package)
    service = Notes(lab, script)
    assert service.json()["ok"] is True
    assert service.get("/").startswith(b"<ul>")
    stats = lab.ask("stats")["modules"]
    assert stats["proxies"] > 20 and stats["failed"] == 0
    lab.ctl("stop")
    assert service.process.ended()


def test_flask_form(lab):
    pytest.importorskip("flask")
    service = Notes(lab, "flask_notes.py")
    page = service.get("/notes", data=b"text=%3Cb%3E", method="POST")
    assert page == b"<ul><li>&lt;b&gt;</li></ul>"


def test_django_escapes(lab):
    pytest.importorskip("django")
    service = Notes(lab, "django_notes.py")
    service.get("/health")
    assert service.get("/") == b"<ul><li>health &amp; safety</li></ul>"


# --- the forms of TARGET ------------------------------------------------

SAYS = "import sys\nprint(__name__, sys.argv[1:])\n"


def test_app_is_a_folder(lab):
    lab.write("app/__main__.py", SAYS)
    done = lab.foreground("--app", lab.folder / "app", "--", "a", "-b")
    assert done.out == "__main__ ['a', '-b']\n"


def test_app_is_a_zip(lab):
    with zipfile.ZipFile(lab.folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "import inside\nprint(inside.X)")
        archive.writestr("inside.py", "X = __file__")
    done = lab.foreground("--app", lab.folder / "app.zip")
    assert done.out == f"{lab.folder}/app.zip/inside.py\n"


def test_app_is_a_dotted_module(lab):
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/tool.py", SAYS)
    done = lab.foreground("--app", "pkg.tool", "--", "x")
    assert done.out == "__main__ ['x']\n"


def test_app_is_a_package_with_main(lab):
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/__main__.py", SAYS)
    assert lab.foreground("--app", "pkg").out == "__main__ []\n"


def test_app_is_a_callable(lab):
    lab.write("pkg.py", """
        import sys
        class Tool:
            def run():
                print(__name__, sys.argv[1:])
                return 7
        """)
    done = lab.foreground("--app", "pkg:Tool.run", "--", "x", status=7)
    assert done.out == "pkg ['x']\n"


def test_python_path_and_chdir(lab):
    lab.write("lib/helper.py", "X = 'found'")
    lab.write("there/app.py", "import helper, os\n"
                              "print(helper.X, os.path.basename(os.getcwd()))")
    done = lab.foreground("--python-path", lab.folder / "lib", "-C",
                          lab.folder / "there", "--app", "app.py")
    assert done.out == "found there\n"


# --- the end ----------------------------------------------------------------

def test_stop_is_clean(lab):
    process = lab.serve(f"""
        import atexit, pathlib
        mark = pathlib.Path({str(lab.folder / "mark")!r})
        atexit.register(mark.write_text, "atexit ran")
        """)
    assert lab.socket.is_socket()
    done = lab.ctl("stop")
    assert str(process.pid) in done.out
    assert process.ended(0), "lazyctl came back before lazyd was gone"
    assert (lab.folder / "mark").read_text() == "atexit ran"
    assert not lab.socket.exists()
    assert not lab.pidfile.exists()


def test_stop_lets_finally_run(lab):
    lab.start(lab.write("app.py", f"""
        import lazycore, pathlib, signal
        try:
            lazycore.ready()
            while True:
                signal.pause()
        finally:
            pathlib.Path({str(lab.folder / "mark")!r}).write_text("finally")
        """))
    lab.ctl("stop")
    assert (lab.folder / "mark").read_text() == "finally"


def test_stop_ends_hard_after_the_timeout(lab):
    process = lab.start(lab.write("app.py", """
        import lazycore, signal
        lazycore.ready()
        while True:
            try:
                signal.pause()
            except SystemExit:
                pass
        """))
    lab.ctl("stop", "--timeout", "0.2", status=None)
    assert process.ended()
    assert not lab.socket.exists()
    assert not lab.pidfile.exists()


def test_background_service_begins_without_ready(lab):
    app = lab.write("app.py", "import signal\nwhile True:\n signal.pause()\n")
    process = lab.start(app, ready=False)
    assert lab.ask("ping")["pid"] == process.pid


def test_name_gives_socket_pidfile_and_log(lab):
    app = lab.write("app.py", "print('said')\n" + SERVE)
    runtime = lab.folder / "run"
    runtime.mkdir(mode=0o700)
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    name = lab.folder.name
    lab.lazyd("-n", name, "--wait-ready", "--app", app, env=environment)
    answer = lab.run(LAZYCTL, "-n", name, "--json", "stats",
                     env=environment).json()
    process = lab.watch(answer["pid"])
    socket = pathlib.Path(answer["socket"])
    assert socket.name == name + ".sock"
    assert socket.with_suffix(".pid").read_text().strip() == str(process.pid)
    lab.run(LAZYCTL, "-n", name, "stop", env=environment)
    assert process.ended()
    assert not socket.exists() and not socket.with_suffix(".pid").exists()


def test_foreground_with_socket_serves_and_stops(lab):
    port_file = lab.folder / "port"
    process = lab.stay(SERVICES / "flask_notes.py", arguments=[port_file])
    lab.await_file("port")
    assert get(int(port_file.read_text()))
    lab.ctl("stop")
    assert process.wait(30) == 0
