"""The clients of soak.py: what each asks for, and what the answer must be."""
import json
import os
import random
import socket
import struct
import time

import attacks
from soak_service import MODULES, write_part

PATIENCE_S = 120
MIB = 1 << 20


class Wrong(Exception):
    """An answer that must not be."""


class Client:
    """One connection to lazyd, one to the service, and what it owns."""

    def __init__(self, folder, number, clients, counter, seed):
        self.folder, self.number, self.clients = folder, number, clients
        self.counter, self.random = counter, random.Random(seed)
        self.sock = attacks.connect(str(folder / "s"), attacks.LAZYD,
                                    PATIENCE_S)
        if self.sock is None:
            raise Wrong("was not let in")
        self.file = self.sock.makefile("rb")
        self.service = socket.socket(socket.AF_UNIX)
        self.service.settimeout(PATIENCE_S)
        self.service.connect(str(folder / "service"))
        self.answers = self.service.makefile("r")
        self.id = 0
        self.generations = {}

    def name(self):
        return f"pool.part{self.random.randrange(MODULES)}"

    def send(self, method, **params):
        self.id += 1
        request = {"jsonrpc": "2.0", "id": self.id, "method": method}
        if params:
            request["params"] = params
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        return self.id

    def read(self, identifier):
        line = self.file.readline()
        if not line:
            raise Wrong("lazyd closed the connection")
        answer = json.loads(line)
        if answer.get("id") != identifier:
            raise Wrong(f"not the answer to {identifier}: {line[:200]}")
        self.counter.add()
        return answer

    def ask(self, method, **params):
        answer = self.read(self.send(method, **params))
        if "result" not in answer:
            raise Wrong(f"{method} {params}: {answer}")
        return answer["result"]

    def ask_wrong(self, kind, method, /, **params):
        answer = self.read(self.send(method, **params))
        if answer.get("error", {}).get("data", {}).get("kind") != kind:
            raise Wrong(f"{method} {params}: {answer}, and not {kind}")

    def expect(self, right, what, *of):
        if not right:
            raise Wrong(" ".join(map(str, (what, *of))))

    # --- what it does

    def ping(self):
        self.expect(self.ask("ping")["pong"] is True, "no pong")

    def pipeline(self):
        sent = [self.send("ping" if self.random.random() < 0.7 else "stats")
                for _ in range(self.random.randrange(2, 30))]
        for identifier in sent:
            self.expect("result" in self.read(identifier), "an error")

    def stats(self):
        found = self.ask("stats")
        self.expect(found["memory"]["rss"] > MIB, found)
        self.expect(found["control"]["clients"] >= 1, found)

    def look(self):
        method = self.random.choice(("version", "report", "ignore.list",
                                     "level.list", "unused", "threads"))
        self.expect(isinstance(self.ask(method), dict), method)

    def list(self):
        found = self.ask("list", match="pool.part1*", sort="name")["modules"]
        names = [module["name"] for module in found]
        self.expect(names == sorted(names) and names and
                    all(name.startswith("pool.part1") for name in names),
                    "list:", names)

    def show(self):
        name = self.name()
        self.expect(self.ask("show", name=name)["name"] == name, "show", name)

    def load(self):
        names = sorted({self.name() for _ in range(3)})
        found = {one["name"]: one for one in
                 self.ask("load", names=names)["results"]}
        self.expect(sorted(found) == names and
                    not any(one["error"] for one in found.values()),
                    "load", names, found)

    def load_broken(self):
        answer = self.read(self.send("load", names=["pool.broken"]))
        self.expect("ValueError: as it is" in json.dumps(answer), answer)

    def dry_run(self):
        name = self.name()
        answer = self.read(self.send("load", names=[name], dry_run=True))
        kind = answer.get("error", {}).get("data", {}).get("kind")
        self.expect("result" in answer or kind == "busy", answer)

    def verify(self):
        name = self.name()
        self.expect("failed" in self.ask("verify", match=name), "verify")

    def own(self):
        number = self.random.randrange(self.number, MODULES, self.clients)
        return number, f"pool.part{number}"

    def reload(self):
        number, name = self.own()
        path = self.folder / "pool" / f"part{number}.py"
        before = int(path.read_text().split()[2])
        self.served(number, before if number in self.generations else None)
        write_part(self.folder / "pool", number, before + 1)
        verdict = self.ask("reload", name=name)["verdict"]
        # One that was killed may have had a reload under way, which has read
        # what we wrote.
        self.expect(verdict == "applied" or verdict == "unchanged" and
                    number not in self.generations, "reload", name, verdict)
        self.generations[number] = before + 1
        self.served(number, before + 1)

    def served(self, number=None, expected=None):
        """Ask the service itself."""
        if number is None:
            number = self.random.randrange(MODULES)
        self.service.sendall(b"%d\n" % number)
        words = self.answers.readline().split()
        if len(words) != 2 or int(words[1]) != int(words[0]) + 1000000 or \
                expected is not None and int(words[0]) != expected:
            raise Wrong(f"the service says {words} of part{number}, and not "
                        f"{expected}")

    def edit(self):
        # Of this process: one that was killed may have left its own.
        value = f"own{os.getpid()}.rule{self.random.randrange(1000)}"
        kind = self.random.choice(("name", "package", "path"))
        found = self.ask("ignore.add", kind=kind, values=[value])
        self.expect(found["changed"] == [value], found)
        rules = [rule["value"] for rule in self.ask("ignore.list")["rules"]]
        self.expect(value in rules, value, "is not listed")
        found = self.ask("ignore.remove", kind=kind, values=[value])
        self.expect(found["changed"] == [value], found)
        self.ask_wrong("no_such_rule", "ignore.remove", kind=kind,
                       values=[value])

    def save(self):
        path = str(self.folder / f"saved{self.number}")
        self.expect(self.ask("ignore.save", path=path)["path"] == path, path)

    def level(self):
        package = f"own{self.number}"
        level = self.random.choice(("eager", "outer", "full"))
        found = self.ask("level.set", package=package, level=level)
        self.expect(found["level"] == level, found)

    def mistake(self):
        self.ask_wrong("no_such_method", "no.such.method")
        self.ask_wrong("invalid_params", "show", name="x", bogus=1)
        self.ask_wrong("no_such_module", "show", name="no.such.module")

    def garbage(self):
        self.sock.sendall(b"no JSON\n")
        answer = json.loads(self.file.readline())
        self.expect(answer["error"]["code"] == -32700, answer)
        self.counter.add()

    def again(self):
        """Another connection; at times in the middle of a request."""
        if self.random.random() < 0.5:
            self.sock.sendall(b'{"jsonrpc":"2.0","id":1,"meth')
        self.file.close()
        self.sock.close()
        self.sock = attacks.connect(str(self.folder / "s"), attacks.LAZYD,
                                    PATIENCE_S)
        if self.sock is None:
            raise Wrong("was not let in again")
        self.file = self.sock.makefile("rb")


WEIGHTS = {"ping": 30, "pipeline": 6, "stats": 12, "look": 6, "list": 3,
           "show": 15, "load": 6, "load_broken": 1, "dry_run": 0.1,
           "verify": 1, "reload": 4, "served": 15, "edit": 4, "save": 0.5,
           "level": 2, "mistake": 2, "garbage": 1, "again": 1}


class Counter:
    """A client's commands, where others see them."""

    def __init__(self, shown, number):
        self.shown, self.at = shown, 8 * number

    def add(self):
        struct.pack_into("q", self.shown, self.at,
                         struct.unpack_from("q", self.shown, self.at)[0] + 1)


def run_client(folder, number, clients, shown, seed):
    client = Client(folder, number, clients, Counter(shown, number), seed)
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        getattr(client, client.random.choices(names, weights)[0])()


def run_hostile(folder, seed):
    chance, path = random.Random(seed), str(folder / "s")
    while True:
        sock = attacks.connect(path, attacks.LAZYD)
        if sock is None:
            raise Wrong("was not let in")
        sock.setblocking(False)
        try:
            kind = chance.randrange(4)
            if kind == 0:
                sock.send(attacks.LAZYD.half)
            elif kind == 1:
                sock.send(attacks.LAZYD.long * 1000)
            elif kind == 2:
                sock.send(b"[" * 70000)
            else:
                sock.send(attacks.LAZYD.subscribe + attacks.LAZYD.long * 20)
            time.sleep(chance.random() * 0.05)
        except OSError:
            pass
        sock.close()


def run_listener(folder):
    """Events come in order, and none is lost without being counted."""
    sock = attacks.connect(str(folder / "s"), attacks.LAZYD, PATIENCE_S)
    sock.settimeout(None)
    sock.sendall(attacks.rpc(
        "subscribe", '{"events":["load","fail","reload","ignore"]}'))
    file, last = sock.makefile("rb"), 0
    for line in file:
        answer = json.loads(line)
        if "params" not in answer:
            continue
        sequence = answer["params"]["sequence"]
        if sequence <= last:
            raise Wrong(f"event {sequence} comes after {last}")
        last = sequence
