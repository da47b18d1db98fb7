# needs: python3-pint python3-stevedore python3-apscheduler python3-watchdog python3-chardet python3-charset-normalizer python3-idna python3-six python3-webencodings
# packages: pint stevedore apscheduler watchdog chardet charset_normalizer idna six webencodings
"""A worker: jobs on triggers and in stores found as entry points, a watched
folder, plug-ins, quantities with units, the encoding of what comes in."""
import copy
import datetime
import io
import pathlib
import pickle
import threading

import apscheduler.events
import chardet
import charset_normalizer
import idna
import pint
import six
import stevedore
import watchdog.events
import webencodings
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from chardet.universaldetector import UniversalDetector
from charset_normalizer import from_bytes
from idna.core import IDNAError
from pint import DimensionalityError, UnitRegistry
from pint.errors import UndefinedUnitError
from pint.util import UnitsContainer
from six.moves import configparser, urllib
from six.moves.urllib.parse import quote
from stevedore import DriverManager, ExtensionManager, named
from stevedore.exception import NoMatches
from watchdog.events import FileSystemEventHandler, PatternMatchingEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver
from watchdog.utils.dirsnapshot import DirectorySnapshot, DirectorySnapshotDiff

UTC = datetime.timezone.utc
START = datetime.datetime(2024, 1, 31, 10, tzinfo=UTC)


class Twice(BaseTrigger):
    def get_next_fire_time(self, previous, now):
        return now if previous is None else None


class Seen(FileSystemEventHandler):
    def __init__(self, name):
        self.name, self.done = name, threading.Event()

    def on_created(self, event):
        if event.src_path.endswith(self.name):
            self.done.set()


class Named(six.with_metaclass(type("Meta", (type,), {"kind": "meta"}), object)):
    @six.python_2_unicode_compatible
    class Inner:
        def __str__(self):
            return "inner"


def jobs():
    ran, finished = [], threading.Event()
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(2)},
                                    jobstores={"other": MemoryJobStore()}, timezone=UTC)
    scheduler.add_listener(lambda event: (ran.append(event.retval), finished.set()),
                           apscheduler.events.EVENT_JOB_EXECUTED)
    scheduler.add_job(pow, Twice(), args=(2, 5), id="one")
    scheduler.add_job(print, "interval", hours=3, id="two", jobstore="other")
    scheduler.add_job("operator:add", "date", run_date="2099-01-01", args=[1, 2], id="late")
    scheduler.start()
    print(finished.wait(20), ran, sorted(job.id for job in scheduler.get_jobs()))
    for bad in (lambda: scheduler.remove_job("none"), lambda: scheduler.add_job(
            print, "date", run_date="2099-01-01", id="late"), lambda: scheduler.add_job(
                print, "nothing"), lambda: scheduler.add_job("no_such:f", "date")):
        try:
            bad()
        except (JobLookupError, ConflictingIdError, LookupError) as error:
            print(type(error).__name__)
    scheduler.shutdown()
    for text in ("*/5 2 * * 1-5", "0 0 last * *"):
        try:
            trigger = CronTrigger.from_crontab(text, timezone=UTC)
            print(trigger, trigger.get_next_fire_time(None, START))
        except ValueError as error:
            print(error)
    both = OrTrigger([CronTrigger(day="last", hour=8, timezone=UTC), CronTrigger(
        week="5", day_of_week="sun", timezone=UTC)])
    print(pickle.loads(pickle.dumps(both)).get_next_fire_time(None, START))


def watched():
    pathlib.Path("in").mkdir()
    before = DirectorySnapshot("in")
    for kind, name in ((Observer, "a.txt"), (PollingObserver, "b.txt")):
        seen, observer = Seen(name), kind(timeout=0.1)
        observer.schedule(seen, "in", recursive=True)
        observer.start()
        pathlib.Path("in", name).write_text("x")
        print(name, seen.done.wait(20), issubclass(kind, threading.Thread))
        observer.stop()
        observer.join()
    print(sorted(DirectorySnapshotDiff(before, DirectorySnapshot("in")).files_created),
          watchdog.events.FileMovedEvent("a", "b"), PatternMatchingEventHandler(
              ["*.py"]).patterns)


def quantities():
    ureg = UnitRegistry()
    q = 3 * ureg.meter / ureg.second
    print(q.to("km/hour"), f"{q:~P}", q.dimensionality, ureg("2 inch + 1 cm").to("mm"),
          ureg.Quantity(20, "degC").to("kelvin"), copy.deepcopy(q) == q, q.to_base_units())
    ureg.define("furlong_x = 201 * meter = fx")
    print((1 * ureg.fx).to("m"), UnitsContainer(meter=2), ureg.get_compatible_units(
        "[time]") != set(), ureg.parse_expression("5 kg * m").units)
    with ureg.context("sp"):
        print((500 * ureg.nm).to("THz").magnitude > 500)
    pint.set_application_registry(ureg)
    print(pickle.loads(pickle.dumps(q)), ureg.wraps("m", "s")(lambda t: t * 2)(
        3 * ureg.minute), q.check("[speed]"))
    for bad in (lambda: q.to("kg"), lambda: ureg("nounit"), lambda: q + 1):
        try:
            bad()
        except (DimensionalityError, UndefinedUnitError) as error:
            print(error)


def texts():
    for text, code in (("Grüße aus Köln und noch mehr", "latin-1"), ("日本語の文章です", "euc-jp"),
                       ("Привет, как дела", "koi8-r"), ("plain", "utf-16")):
        raw = (text * 5).encode(code)
        print(chardet.detect(raw), from_bytes(raw).best().encoding)
    detector = UniversalDetector()
    for line in io.BytesIO("é\n".encode() * 9):
        detector.feed(line)
    detector.close()
    print(detector.result["encoding"], charset_normalizer.detect(b"abc")["encoding"])
    print(idna.encode("bücher.example"), idna.decode("xn--bcher-kva.example"), "ß".encode(
        "idna"), idna.encode("Faß.de", uts46=True), idna.uts46_remap("ＡＢ"))
    for bad in ("a..b", "\u2665.x", "-x"):
        try:
            idna.encode(bad)
        except IDNAError as error:
            print(type(error).__name__, str(error)[:30])
    print(webencodings.lookup("latin1").name, webencodings.decode(b"\x93a", "latin1"),
          webencodings.UTF8.codec_info.name, list(webencodings.iter_decode([b"\xef\xbb\xbfa"],
                                                                          "ascii")[0]))
    print(quote("a b"), urllib.parse.urlsplit("http://h/p").path, configparser.__name__,
          str(Named.Inner()), Named.kind, six.ensure_binary("é"), six.moves.reduce(max, [1, 5]),
          list(six.iteritems({"a": 1})), six.moves.cPickle.__name__, six.text_type.__name__)
    try:
        six.raise_from(KeyError("new"), ValueError("old"))
    except KeyError as error:
        print(repr(error.__cause__))


jobs()
watched()
quantities()
texts()
found = ExtensionManager("apscheduler.triggers", invoke_on_load=False)
print(sorted(found.names()), DriverManager("apscheduler.executors", "debug").driver.__name__,
      named.NamedExtensionManager("apscheduler.jobstores", ["memory"]).names(),
      stevedore.__name__)
try:
    DriverManager("apscheduler.triggers", "nothing")
except NoMatches as error:
    print(str(error)[:30])
