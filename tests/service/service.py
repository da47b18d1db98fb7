"""A small HTTP API for notes, kept in sqlite: the sample service.

    service.py [--port N] [--port-file PATH] [--database PATH] [--log-level L]

It is written like any service: it imports at its top what its routes need,
and most routes need little of it. It runs unchanged under python3; under lazyd
it also says when it is ready.
"""
import argparse
import asyncio
import atexit
import base64
import collections
import concurrent.futures
import configparser
import contextlib
import csv
import datetime
import decimal
import difflib
import email.message
import email.utils
import gzip
import hashlib
import hmac
import html
import http.server
import io
import ipaddress
import json
import locale
import logging
import logging.handlers
import mimetypes
import os
import platform
import pathlib
import secrets
import smtplib
import socket
import sqlite3
import ssl
import statistics
import string
import subprocess
import tarfile
import tempfile
import textwrap
import threading
import traceback
import unicodedata
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree as etree
import zipfile

try:
    import lazycore
except ImportError:
    lazycore = None

LOG = logging.getLogger("notes")
SCHEMA = """
CREATE TABLE IF NOT EXISTS note (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
    made TEXT NOT NULL)
"""


class NotFound(Exception):
    pass


class Store:
    """The notes; one connection, one lock."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(path, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        with self.connection:
            self.connection.execute(SCHEMA)

    def add(self, title, body):
        note = {"id": str(uuid.uuid4()), "title": title, "body": body,
                "made": datetime.datetime.now(datetime.timezone.utc)
                .isoformat(timespec="seconds")}
        with self.lock, self.connection:
            self.connection.execute(
                "INSERT INTO note VALUES (:id, :title, :body, :made)", note)
        return note

    def all(self):
        with self.lock:
            rows = self.connection.execute("SELECT * FROM note ORDER BY rowid")
            return [dict(row) for row in rows]

    def get(self, key):
        with self.lock:
            row = self.connection.execute(
                "SELECT * FROM note WHERE id = ?", (key,)).fetchone()
        if row is None:
            raise NotFound(key)
        return dict(row)

    def close(self):
        self.connection.close()


# --- routes: each takes the request and gives (type, bytes) ---------------

def as_json(value):
    return "application/json", json.dumps(value, sort_keys=True).encode()


def index(request):
    names = "\n".join(sorted(ROUTES))
    page = "<h1>notes</h1><pre>%s</pre>" % html.escape(names)
    return "text/html; charset=utf-8", page.encode()


def health(request):
    return as_json({"ok": True, "notes": len(request.server.store.all())})


def notes(request):
    return as_json(request.server.store.all())


def note(request):
    return as_json(request.server.store.get(request.query["id"]))


def notes_csv(request):
    out = io.StringIO()
    writer = csv.DictWriter(out, ["id", "title", "body", "made"])
    writer.writeheader()
    writer.writerows(request.server.store.all())
    return "text/csv", out.getvalue().encode()


def notes_zip(request):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in request.server.store.all():
            archive.writestr(item["id"] + ".txt", item["body"])
    return "application/zip", out.getvalue()


def notes_tar(request):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for item in request.server.store.all():
            data = item["body"].encode()
            entry = tarfile.TarInfo(item["id"] + ".txt")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return "application/gzip", out.getvalue()


def notes_xml(request):
    root = etree.Element("notes")
    for item in request.server.store.all():
        etree.SubElement(root, "note", id=item["id"]).text = item["body"]
    return "application/xml", etree.tostring(root)


def mail(request):
    item = request.server.store.get(request.query["id"])
    message = email.message.EmailMessage()
    message["Subject"] = item["title"]
    message["From"] = email.utils.formataddr(("Notes", "notes@localhost"))
    message.set_content(textwrap.fill(item["body"], 60))
    return "message/rfc822", message.as_bytes()


def digest(request):
    text = json.dumps(request.server.store.all(), sort_keys=True).encode()
    return as_json({"sha256": hashlib.sha256(text).hexdigest(),
                    "hmac": hmac.new(b"key", text, "sha256").hexdigest(),
                    "gzip": base64.b64encode(gzip.compress(text)).decode()})


def words(request):
    counts = collections.Counter(
        word.strip(string.punctuation).lower()
        for item in request.server.store.all()
        for word in item["body"].split())
    lengths = [len(word) for word in counts] or [0]
    return as_json({"common": counts.most_common(3),
                    "mean": str(decimal.Decimal(statistics.fmean(lengths))
                                .quantize(decimal.Decimal("0.01")))})


def own_health(base, timeout=10):
    with urllib.request.urlopen(base + "/health", timeout=timeout) as answer:
        return json.load(answer)["ok"]


def crowd(request):
    """Ask ourselves from several threads at once."""
    base = "http://%s:%d" % request.server.server_address[:2]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(own_health, [base] * 8))
    return as_json({"ok": all(answers), "count": len(answers)})


def later(request):
    async def answer():
        await asyncio.sleep(0)
        return threading.current_thread() is not threading.main_thread()
    return as_json({"threaded": asyncio.run(answer())})


def host(request):
    return as_json({
        "python": platform.python_version(), "pid": os.getpid(),
        "name": socket.gethostname(), "loopback":
        ipaddress.ip_address(request.client_address[0]).is_loopback,
        "tls": ssl.OPENSSL_VERSION.split()[0], "smtp": smtplib.SMTP_PORT,
        "encoding": locale.getpreferredencoding(False),
        "type": mimetypes.guess_type("notes.json")[0],
        "letter": unicodedata.name("\N{BULLET}")})


def difference(request):
    one, two = (item["body"].split() for item in request.server.store.all()[:2])
    return "text/plain", "\n".join(difflib.unified_diff(one, two)).encode()


def child(request):
    done = subprocess.run(["echo", secrets.token_hex(4)], check=True,
                          stdout=subprocess.PIPE)
    return "text/plain", done.stdout


def spin(request):
    """Keep Python busy, for ever: only the interpreter's switches let others in."""
    while True:
        pass


def hold(request):
    """Hold the GIL in one call of C."""
    import ctypes
    sleep = ctypes.PyDLL(None).usleep
    sleep(int(float(request.query["seconds"]) * 1e6))
    return as_json({"held": True})


ROUTES = {"/": index, "/health": health, "/notes": notes, "/note": note,
          "/notes.csv": notes_csv, "/notes.zip": notes_zip,
          "/notes.tar": notes_tar, "/notes.xml": notes_xml, "/mail": mail,
          "/digest": digest, "/words": words, "/crowd": crowd,
          "/later": later, "/host": host, "/difference": difference,
          "/child": child, "/spin": spin, "/hold": hold}


# --- the server -------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, text):
        kind, body = as_json({"error": text})
        self.answer(status, kind, body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        try:
            self.answer(200, *ROUTES[url.path](self))
        except NotFound as error:
            self.refuse(404, "no note %s" % error)
        except KeyError as error:
            self.refuse(404, "nothing at %s" % error)
        except Exception:
            LOG.error("%s", traceback.format_exc())
            self.refuse(500, "see the log")

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        try:
            sent = json.loads(self.rfile.read(length))
            made = self.server.store.add(sent["title"], sent["body"])
        except (ValueError, KeyError, TypeError) as error:
            self.refuse(400, "send a title and a body: %s" % error)
        else:
            self.answer(201, *as_json(made))

    def log_message(self, form, *values):
        LOG.info(form, *values)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, store):
        super().__init__(address, Handler)
        self.store = store


def write_port(path, port):
    """All at once: who sees the file can read it."""
    target = pathlib.Path(path)
    with tempfile.NamedTemporaryFile("w", dir=target.parent,
                                     delete=False) as out:
        out.write("%d\n" % port)
    os.replace(out.name, target)


def arguments():
    parser = argparse.ArgumentParser(description="notes over HTTP")
    parser.add_argument("--port", type=int, default=8080,
                        help="port on 127.0.0.1; 0: any that is free")
    parser.add_argument("--port-file", help="write the port to this file")
    parser.add_argument("--database", default=":memory:")
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--config", help="an ini file with these settings")
    options = parser.parse_args()
    if options.config:
        config = configparser.ConfigParser()
        config.read(options.config)
        parser.set_defaults(**config["notes"])
        options = parser.parse_args()
    return options


def main():
    options = arguments()
    logging.basicConfig(level=options.log_level,
                        format="%(levelname)s %(name)s %(message)s")
    store = Store(options.database)
    atexit.register(LOG.info, "closed")
    with contextlib.closing(store), \
            Server(("127.0.0.1", options.port), store) as server:
        port = server.server_address[1]
        if options.port_file:
            write_port(options.port_file, port)
        LOG.info("serving on http://127.0.0.1:%d/", port)
        if lazycore is not None:
            lazycore.ready()
        server.serve_forever()


if __name__ == "__main__":
    main()
