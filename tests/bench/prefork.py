"""Private memory of the workers of a pre-forking server.

gunicorn with four workers and --preload serves a Flask application over
sqlalchemy, whose pages use different parts of it: eager (--lazy=off), lazy,
and lazy with the set that `lazyctl record` has found then, loaded before the
fork by --warm. `fresh` is right after the start, `used`
once every worker has served every page. What a worker loads by itself is its
own; what was loaded before the fork is shared until it is written to.
"""
import http.client
import os
import pathlib
import socket
import subprocess

import common

WORKERS = 4

APP = '''
import base64, calendar, csv, decimal, difflib, email.mime.multipart
import email.mime.text, hashlib, html.parser, io, json, os, smtplib, sqlite3
import statistics, tarfile, uuid, xml.dom.minidom, xml.etree.ElementTree
import zipfile
import flask
import sqlalchemy
import sqlalchemy.orm

app = flask.Flask(__name__)
base = sqlalchemy.orm.declarative_base()


class Note(base):
    __tablename__ = "notes"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    text = sqlalchemy.Column(sqlalchemy.String)


@app.get("/")
def index():
    return flask.render_template_string("<p>{{ text }}</p>", text="hello")


@app.get("/notes")
def notes():
    engine = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with sqlalchemy.orm.Session(engine) as session:
        session.add(Note(text="one"))
        session.commit()
        return json.dumps([note.text for note in session.query(Note)])


@app.get("/mail")
def mail():
    message = email.mime.multipart.MIMEMultipart()
    message.attach(email.mime.text.MIMEText("text"))
    return base64.b64encode(message.as_bytes())


@app.get("/table")
def table():
    out = io.StringIO()
    csv.writer(out).writerow([decimal.Decimal("1.5"), statistics.mean([1, 2]),
                              uuid.uuid4(), calendar.month(2026, 1)])
    return hashlib.sha256(out.getvalue().encode()).hexdigest()


@app.get("/feed")
def feed():
    root = xml.etree.ElementTree.fromstring("<a><b/></a>")
    return xml.etree.ElementTree.tostring(root)


@app.after_request
def who(response):
    response.headers["X-Pid"] = str(os.getpid())
    return response
'''
PAGES = ("/", "/notes", "/mail", "/table", "/feed")

CONF = '''
def when_ready(server):
    import lazycore
    lazycore.ready()
'''

class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask(connection, page):
    connection.request("GET", page)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, (page, answer.status)
    return int(answer.headers["X-Pid"])


def memory_mib(pid, *keys):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(text.split(f"\n{key}:")[1].split()[0])
               for key in keys) / 1024


def private(pids):
    return sum(memory_mib(pid, "Private_Clean", "Private_Dirty")
               for pid in pids) / len(pids)


def workers_of(master):
    return [int(pid) for task in
            pathlib.Path(f"/proc/{master}/task").iterdir()
            for pid in (task / "children").read_text().split()]


def measure(options, folder, name, words):
    http_socket = folder / f"{name}.http"
    environ = {**common.environment(), "HOME": str(folder),
               "PYTHONPATH": str(folder)}
    subprocess.run(
        [options.lazyd, "-s", folder / f"{name}.s", "-p", folder / "pid", "-l",
         folder / "log", "--wait-ready", *words, "--app", "gunicorn", "--",
         "-w", str(WORKERS), "--preload", "-c", folder / "conf.py", "-b",
         f"unix:{http_socket}", "shop:app"], check=True, env=environ)
    master = int((folder / "pid").read_text())
    try:
        while len(workers := workers_of(master)) < WORKERS:
            os.sched_yield()
        # Every worker has begun to serve, which is more than being forked.
        left = set(workers)
        while left:
            left.discard(ask(UnixConnection(http_socket), "/"))
        fresh = private(workers)
        left = {(pid, page) for pid in workers for page in PAGES}
        while left:
            for page in {page for _, page in left}:
                left.discard((ask(UnixConnection(http_socket), page), page))
        used = private(workers)
        total = sum(memory_mib(pid, "Pss") for pid in [master, *workers])
        if not words: # the set that --warm loads in the next run
            subprocess.run([options.lazyctl, "-s", folder / f"{name}.s",
                            "record", "-o", folder / "used"], check=True,
                           stdout=subprocess.DEVNULL)
    finally:
        subprocess.run([options.lazyctl, "-s", folder / f"{name}.s", "stop"],
                       stdout=subprocess.DEVNULL)
    return fresh, used, total


def run(options):
    try:
        import flask, gunicorn, sqlalchemy  # noqa: E401, F401
    except ImportError as error:
        print(f"prefork: not measured, {error}\n")
        return
    rows = []
    with common.folder() as folder:
        (folder / "shop.py").write_text(APP)
        (folder / "conf.py").write_text(CONF)
        for _ in range(2):  # the first round writes the .pyc
            rows = [[name, *measure(options, folder, name.split(",")[0]
                                    .replace(" ", "-"), words)]
                    for name, words in (
                        ("eager", ["--lazy=off"]), ("lazy", []),
                        ("lazy and warm", ["--warm", folder / "used"]))]
        names = [line for line in (folder / "used").read_text().splitlines()
                 if not line.startswith("#")]
    common.table(f"gunicorn, {WORKERS} workers, --preload: MiB; "
                 f"{len(names)} modules recorded",
                 ["", "private a worker, fresh", "used", "pss of all"], rows)
