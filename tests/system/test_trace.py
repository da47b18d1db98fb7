"""`lazyctl trace`: the load tree in the formats of other programs, read here
as they read it."""
import json
import os
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree
import zlib

import pytest

from conftest import BURST

MODULES = {
    "top": "import one, two\nX = one.X + two.X\n",
    "one": "import leaf\nX = leaf.X\n",
    "two": "X = sum(i * i for i in range(20000))\n",
    "leaf": "X = 1\nKEEP = [bytes(5000) for _ in range(400)]\n",
}
SERVICE = """
    import threading
    import top
    thread = threading.Thread(target=lambda: top.X, name="a \\"quoted\\" one")
    thread.start()
    thread.join()
    """


@pytest.fixture
def service(lab):
    for name, text in MODULES.items():
        lab.write(f"{name}.py", text)
    lab.serve(SERVICE)
    return lab


def loads_of(lab):
    return {row["name"]: row for row in lab.ask("trace")["loads"]}


# --- importtime ---------------------------------------------------------------

LINE = re.compile(r"import time: +(\d+) \| +(\d+) \| (( {2})*)(\S+)$")


def read_importtime(text):
    """As tuna does: from the last line up, by how far a name is indented.
    (name, self, cumulative, children), outermost first."""
    head, *lines = [line for line in text.splitlines()
                    if line.startswith("import time:")]
    assert head == "import time: self [us] | cumulative | imported package"
    roots = []
    stack = []
    for line in reversed(lines):
        own, cumulative, indent, _, name = LINE.match(line).groups()
        level = len(indent) // 2
        assert level <= len(stack), line
        del stack[level:]
        node = (name, int(own), int(cumulative), [])
        (stack[-1][3] if stack else roots).insert(0, node)
        stack.append(node)
    return roots


def find(roots, name):
    for node in roots:
        if node[0] == name:
            return node
        if inner := find(node[3], name):
            return inner
    return None


def test_the_reader_reads_cpython(lab):
    done = lab.python("-X", "importtime", "-c", "import json")
    assert [node[0] for node in find(read_importtime(done.err), "json")[3]] \
        == ["json.decoder", "json.encoder"]


def test_importtime(service):
    roots = read_importtime(service.ctl("trace").out)
    name, own, cumulative, children = find(roots, "top")
    assert [node[0] for node in children] == ["one", "two"]
    assert [node[0] for node in children[0][3]] == ["leaf"]
    load = loads_of(service)["top"]
    assert own == -(-load["wall_self_ns"] // 1000)
    assert cumulative == -(-load["wall_ns"] // 1000)
    # Rounding up aside, a module is itself and what it loaded.
    assert abs(cumulative - own - sum(node[2] for node in children)) <= 3
    for node in children:
        assert node[1] == -(-loads_of(service)[node[0]]["wall_self_ns"] // 1000)


def test_a_load_is_itself_and_what_it_loaded(lab):
    """To the byte, whatever is estimated, and corrected afterwards."""
    lab.write("tree.py", """
        import sys, types
        class Finder:
            def find_spec(self, name, path, target=None):
                if name.startswith("node"):
                    from importlib.machinery import ModuleSpec
                    return ModuleSpec(name, self)
            def create_module(self, spec):
                return None
            def exec_module(self, module):
                name = module.__name__
                module.data = [str(i) for i in range(len(name) * 100)]
                for digit in "012":
                    if len(name) < 9:
                        __import__(name + digit)
                        module.data += [[] for i in range(300)]
        sys.meta_path.insert(0, Finder())
        """)
    lab.serve("import tree\ntree.Finder\n__import__('node')\n")
    loads = loads_of(lab)
    below = {name: [] for name in loads}
    for load in loads.values():
        if load["parent"]:
            below[load["parent"]].append(load)
    assert len(below["node"]) == 3 and "node012" in loads and \
        sum(name.startswith("node") for name in loads) == 364
    for name, load in loads.items():
        for key in "wall", "bytes", "blocks":
            whole, own = (key + "_ns", "wall_self_ns") if key == "wall" \
                else (key, key + "_self")
            assert load[whole] - load[own] == \
                sum(inner[whole] for inner in below[name]), (name, key)


# --- Chrome -------------------------------------------------------------------

def test_chrome(service):
    trace = json.loads(service.ctl("trace", "--format", "chrome").out)
    events = trace["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events
             if event["name"] == "thread_name"}
    assert 'a "quoted" one' in names.values()
    slices = {event["name"]: event for event in events if event["ph"] == "X"}
    loads = loads_of(service)
    assert set(slices) == set(loads)
    top, one, leaf = slices["top"], slices["one"], slices["leaf"]
    assert names[top["tid"]] == 'a "quoted" one'
    for inner, outer in ((leaf, one), (one, top), (slices["two"], top)):
        assert inner["tid"] == outer["tid"]
        assert outer["ts"] <= inner["ts"]
        assert inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"] + .001
    assert top["dur"] == pytest.approx(loads["top"]["wall_ns"] / 1000, abs=.01)
    assert top["args"]["reason"] == "lazy"
    assert top["args"]["file"] == str(service.folder / "app.py")
    assert {event["pid"] for event in events} == {service.ask("ping")["pid"]}


# --- speedscope ---------------------------------------------------------------

def check_speedscope(profile):
    """What speedscope's file-format-schema.json asks for."""
    assert profile["$schema"] == \
        "https://www.speedscope.app/file-format-schema.json"
    assert isinstance(profile["exporter"], str)
    assert isinstance(profile["name"], str)
    frames = profile["shared"]["frames"]
    for frame in frames:
        assert set(frame) <= {"name", "file", "line", "col"}
        assert isinstance(frame["name"], str)
    assert 0 <= profile["activeProfileIndex"] < len(profile["profiles"])
    for one in profile["profiles"]:
        assert one["unit"] in ("none", "nanoseconds", "microseconds",
                               "milliseconds", "seconds", "bytes")
        assert isinstance(one["name"], str)
        if one["type"] == "evented":
            check_events(one, len(frames))
        else:
            assert one["type"] == "sampled"
            assert len(one["samples"]) == len(one["weights"])
            assert all(0 <= index < len(frames)
                       for stack in one["samples"] for index in stack)
            assert sum(one["weights"]) == one["endValue"]
            assert min(one["weights"]) >= 0


def check_events(profile, frames):
    at = profile["startValue"]
    stack = []
    for event in profile["events"]:
        assert at <= event["at"] <= profile["endValue"]
        at = event["at"]
        assert 0 <= event["frame"] < frames
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert event["type"] == "C" and stack.pop() == event["frame"]
    assert stack == []


def test_speedscope(service):
    profile = json.loads(
        service.ctl("trace", "--format", "speedscope").out)
    check_speedscope(profile)
    assert {one["type"] for one in profile["profiles"]} == {"evented"}
    assert 'a "quoted" one' in {one["name"] for one in profile["profiles"]}
    names = [frame["name"] for frame in profile["shared"]["frames"]]
    assert sorted(names) == sorted(loads_of(service))


def test_speedscope_by_memory(service):
    profile = json.loads(service.ctl("trace", "--format", "speedscope", "--by",
                                     "memory").out)
    check_speedscope(profile)
    only, = profile["profiles"]
    names = [frame["name"] for frame in profile["shared"]["frames"]]
    weights = {".".join(names[index] for index in stack): weight
               for stack, weight in zip(only["samples"], only["weights"])}
    assert weights["top.one.leaf"] > 1_000_000


# --- folded -------------------------------------------------------------------

def read_folded(text):
    stacks = {}
    for line in text.splitlines():
        stack, value = line.rsplit(" ", 1)
        assert int(value) > 0 and stack not in stacks
        stacks[stack] = int(value)
    return stacks


def test_folded(service):
    stacks = read_folded(service.ctl("trace", "-f", "folded").out)
    loads = loads_of(service)
    assert stacks["top;one;leaf"] == -(-loads["leaf"]["wall_self_ns"] // 1000)
    assert len(stacks) == len(loads)
    memory = read_folded(service.ctl("trace", "-f", "folded", "--by",
                                     "memory").out)
    assert max(memory, key=memory.get) == "top;one;leaf"


# --- svg ----------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def boxes(path):
    tree = xml.etree.ElementTree.parse(path)
    assert tree.getroot().tag == SVG + "svg"
    return {group.get("data-n"): group for group in tree.iter(SVG + "g")
            if group.get("class") == "load"}


@pytest.mark.parametrize("by", ["time", "memory"])
def test_svg(service, by):
    service.ctl("trace", "-f", "svg", "--by", by, "-o", "loads.svg")
    found = boxes(service.folder / "loads.svg")
    widest = {name: float(group.find(SVG + "rect").get("width"))
              for name, group in found.items()}
    assert widest["top"] >= widest["one"] >= widest["leaf"] > 0
    tops = [int(found[name].find(SVG + "rect").get("y"))
            for name in ("top", "one", "leaf")]
    assert tops[0] < tops[1] < tops[2]
    title = found["leaf"].find(SVG + "title").text
    assert title.startswith("leaf\n") and "one.py:" in title
    fills = {name: group.find(SVG + "rect").get("fill")
             for name, group in found.items()}
    assert fills["one"] != fills["two"]
    if by == "time":
        assert set(found) == set(loads_of(service))
        total = sum(float(group.get("data-w")) for group in found.values()
                    if group.get("data-y") == "0")
        assert total == pytest.approx(1, abs=.001)


def pixels(path):
    """The rows of an 8-bit RGB or RGBA PNG, as sets of colours."""
    data = path.read_bytes()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    assert depth == 8 and colour in (2, 6)
    step = 3 if colour == 2 else 4
    raw = zlib.decompress(packed)
    before = bytearray(width * step)
    rows = []
    for y in range(height):
        start = y * (width * step + 1)
        row = unfilter(raw[start], bytearray(
            raw[start + 1:start + 1 + width * step]), before, step)
        rows.append({bytes(row[x:x + 3]) for x in range(0, len(row), step)})
        before = row
    return rows


def unfilter(kind, row, above, step):
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[i]
        elif kind == 3:
            guess = (left + above[i]) // 2
        elif kind == 4:
            guess = min((left, above[i], corner), key=lambda value: abs(
                left + above[i] - corner - value))
        else:
            guess = 0
        row[i] = (row[i] + guess) & 255
    return row


def test_svg_in_a_browser(service):
    """Its rows are there in colour, and its script runs: it shows the tools,
    and a click enlarges."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    service.ctl("trace", "-f", "svg", "-o", "loads.svg")
    text = (service.folder / "loads.svg").read_text()
    click = ("loads.find(l=>l.n==='leaf').g.dispatchEvent("
             "new Event('click'));\n]]></script>")
    zoomed = service.folder / "zoomed.svg"
    zoomed.write_text(text.replace("]]></script>", click))
    picture = service.folder / "loads.png"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu",
               f"--user-data-dir={service.folder}/profile",
               "--window-size=600,200", "--hide-scrollbars"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
             "timeout": 50, "check": True,
             "env": {**os.environ, "HOME": str(service.folder)}}
    subprocess.run([*command, f"--screenshot={picture}",
                    (service.folder / "loads.svg").as_uri()], **quiet)
    rows = pixels(picture)
    white = b"\xff\xff\xff"
    assert rows[60] == {white}, "between the heading and the first row"
    assert all(len(rows[y]) > 5 for y in (72, 90)), "boxes and their names"
    shown = subprocess.run([*command, "--dump-dom", zoomed.as_uri()],
                           **{**quiet, "stdout": subprocess.PIPE}, text=True)
    leaf = re.search(r'data-n="leaf".*?<rect[^>]* width="([\d.]+)"',
                     shown.stdout, re.S)
    assert float(leaf[1]) == pytest.approx(1180)
    assert re.search(r'data-n="two"[^>]*display: none', shown.stdout)


# --- all of it ----------------------------------------------------------------

def test_thousands_of_modules(lab):
    """More than a page, and more than a frame."""
    count = 4500
    lab.write("burst.py", BURST.format(count=count, size=200))
    lab.serve("")
    lab.ctl("load", "burst")
    roots = read_importtime(lab.ctl("trace").out)
    children = [node[0] for node in find(roots, "burst")[3]]
    made = [name for name in children if name.startswith("made_")]
    assert len(made) == len(set(made)) == count
    assert made == sorted(made, key=lambda name: int(name.split("_")[1]))
    pages = [json.loads(line) for line in
             lab.ctl("--json", "trace").out.splitlines()]
    assert len(pages) > 2
    assert all(len(json.dumps(page)) < 1.5 * 2 ** 20 for page in pages)
    numbers = [load["sequence"] for page in pages for load in page["loads"]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == pages[0]["total"] > count
    some = lab.ctl("trace", "--limit", "2500", "-f", "folded").out
    assert len(some.splitlines()) == 2500
    last = lab.ctl("trace", "--after", str(numbers[-4]), "-f", "folded").out
    assert len(last.splitlines()) == 3
    lab.ctl("trace", "-f", "speedscope", "-o", "all.json")
    check_speedscope(json.loads((lab.folder / "all.json").read_text()))


def test_output(service):
    path = service.folder / "out"
    path.write_text("old")
    path.chmod(0o600)
    done = service.ctl("trace", "-o", path)
    assert done.out == ""
    assert path.read_text() == service.ctl("trace", "-o", "-").out
    assert [entry.name for entry in service.folder.glob("out*")] == ["out"]
    service.ctl("trace", "-o", "/dev/null")
    assert not os.path.isfile("/dev/null")
    done = service.ctl("trace", "-o", "no/such/folder", status=1)
    assert "cannot write 'no/such/folder'" in done.err


def test_memory_only_where_it_means_something(service):
    for name in ("importtime", "chrome"):
        done = service.ctl("trace", "-f", name, "--by", "memory", status=2)
        assert "--by memory" in done.err and done.out == ""
