# needs: python3-apscheduler python3-watchdog
# packages: apscheduler watchdog tzlocal
"""Jobs with APScheduler: triggers, stores, executors and events by name; and
watchdog's observers, handlers, patterns and snapshots over a folder.
"""
import asyncio
import datetime
import logging
import os
import pickle
import queue
import tempfile
import threading

import apscheduler.events
import apscheduler.schedulers.background
import pytz
import tzlocal
import watchdog.events
import watchdog.observers
import watchdog.utils.dirsnapshot
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger, fields
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from apscheduler.util import obj_to_ref, ref_to_obj
from watchdog.events import FileCreatedEvent, FileSystemEventHandler
from watchdog.events import PatternMatchingEventHandler, RegexMatchingEventHandler
from watchdog.observers.api import EventQueue, ObservedWatch
from watchdog.observers.polling import PollingObserver
from watchdog.tricks import LoggerTrick, Trick
from watchdog.utils import BaseThread, patterns, platform
from watchdog.utils.bricks import SkipRepeatsQueue
from watchdog.utils.dirsnapshot import DirectorySnapshot, DirectorySnapshotDiff

logging.disable(logging.CRITICAL)
DONE = queue.Queue()


def job(what):
    if what == "bad":
        raise KeyError(what)
    DONE.put(what)


class Twice(BaseTrigger):
    left = 2

    def get_next_fire_time(self, previous, now):
        self.left -= 1
        return now if self.left >= 0 else None


def triggers():
    start = pytz.utc.localize(datetime.datetime(2020, 2, 28, 23, 59, 30))
    for trigger in (
            CronTrigger.from_crontab("*/5 8-9 * jan-mar mon", timezone="UTC"),
            CronTrigger(day="last sun", hour=3, timezone="UTC"),
            CronTrigger(week="9", day_of_week="tue", timezone="UTC"),
            IntervalTrigger(hours=1, start_date=start, timezone="UTC"),
            DateTrigger("2020-03-01 00:00:00", timezone="UTC"),
            OrTrigger([CronTrigger(minute=5, timezone="UTC"), CronTrigger(
                minute=3, timezone="UTC")]),
            AndTrigger([CronTrigger(hour="*/2", timezone="UTC"), CronTrigger(
                hour="*/3", timezone="UTC")])):
        again = pickle.loads(pickle.dumps(trigger))
        print(trigger, again.get_next_fire_time(None, start))
    for bad in (lambda: CronTrigger(minute="61"), lambda: CronTrigger.from_crontab(
            "* *"), lambda: CronTrigger(day="1st xyz"), lambda: IntervalTrigger(
            timezone=5)):
        try:
            bad()
        except (ValueError, TypeError) as error:
            print(type(error).__name__, str(error)[:50])
    print(fields.DEFAULT_VALUES["hour"], obj_to_ref(job) == f"{__name__}:job", ref_to_obj(
        "apscheduler.util:asint")("3"), tzlocal.__name__)


def scheduling():
    scheduler = apscheduler.schedulers.background.BackgroundScheduler(
        {"apscheduler.jobstores.more": {"type": "memory"},
         "apscheduler.executors.pool": {
             "class": "apscheduler.executors.pool:ThreadPoolExecutor",
             "max_workers": "2"},
         "apscheduler.job_defaults.coalesce": "false",
         "apscheduler.job_defaults.misfire_grace_time": "60",
         "apscheduler.timezone": "UTC"})
    scheduler.add_executor("debug", "direct")
    heard, finished = [], threading.Event()

    def hear(event):
        heard.append((event.job_id, type(event.exception).__name__))
        if len(heard) == 4:
            finished.set()

    scheduler.add_listener(hear, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.add_job(job, args=["once"], id="once", executor="pool")
    scheduler.add_job(job, "date", ["bad"], id="bad", jobstore="more")
    scheduler.add_job(job, Twice(), ["twice"], id="twice", executor="direct",
                      max_instances=2)
    later = scheduler.add_job(job, "cron", ["never"], id="later", hour="3",
                              name="later job")
    scheduler.start(paused=True)
    later.modify(name="renamed")
    later.reschedule("interval", days=400)
    print(sorted(j.id for j in scheduler.get_jobs()), later.name, later.trigger,
          isinstance(later, Job), scheduler.state)
    for bad in (lambda: scheduler.add_job(job, id="later"), lambda: scheduler.
                remove_job("none"), lambda: scheduler.add_job(job, "nope"),
                lambda: scheduler.add_job("no.module:x"), lambda: scheduler.
                add_job(job, args=[1, 2])):
        try:
            bad()
        except (ConflictingIdError, JobLookupError, LookupError,
                ValueError, ImportError) as error:
            print(type(error).__name__)
    scheduler.resume()
    print(finished.wait(5), sorted(heard), sorted(
        DONE.get(timeout=1) for _ in range(3)))
    scheduler.shutdown()
    try:
        scheduler.shutdown()
    except SchedulerNotRunningError as error:
        print(error)
    print(isinstance(MemoryJobStore(), object), ThreadPoolExecutor(1)._pool.
          _max_workers, apscheduler.events.EVENT_ALL > 0)


async def later():
    scheduler = AsyncIOScheduler(timezone="UTC")
    fired = asyncio.Event()

    async def fire():
        fired.set()

    scheduler.add_job(fire)
    scheduler.start()
    await asyncio.wait_for(fired.wait(), 5)
    scheduler.shutdown()
    print("fired")


class Seen(PatternMatchingEventHandler):
    def __init__(self, **options):
        super().__init__(**options)
        self.names, self.got = [], threading.Event()

    def on_any_event(self, event):
        self.names.append((event.event_type, os.path.basename(event.src_path)))
        if ("deleted", "a.txt") in self.names:
            self.got.set()


def watching():
    with tempfile.TemporaryDirectory() as folder:
        for observer in (watchdog.observers.Observer(), PollingObserver(0.02)):
            handler = Seen(patterns=["*.txt"], ignore_directories=True)
            watch = observer.schedule(handler, folder, recursive=True)
            observer.start()
            name = os.path.join(folder, "a.txt")
            before = DirectorySnapshot(folder)
            for path in (name, os.path.join(folder, "b.log")):
                with open(path, "w") as file:
                    file.write("x")
            diff = DirectorySnapshotDiff(before, DirectorySnapshot(folder))
            threading.Event().wait(0.2)
            os.remove(name)
            print(handler.got.wait(5), ("created", "a.txt") in handler.names, any(
                n == "b.log" for _, n in handler.names), [os.path.basename(p)
                                                       for p in sorted(
                    diff.files_created)], watch.is_recursive)
            observer.unschedule_all()
            observer.stop()
            observer.join()
            os.remove(os.path.join(folder, "b.log"))
    event = FileCreatedEvent("/a/b.py")
    handler = RegexMatchingEventHandler([r".*\.py"])
    handler.on_created = lambda event: print("created", event.src_path)
    handler.dispatch(event)
    tasks = EventQueue()
    for _ in range(2):
        tasks.put((event, ObservedWatch("/a", True)))
    print(tasks.qsize(), event == FileCreatedEvent("/a/b.py"), event.key,
          list(patterns.filter_paths(["a.c", "b.h"], ["*.h"])), platform.is_linux(),
          issubclass(EventQueue, SkipRepeatsQueue), issubclass(
              LoggerTrick, Trick), FileSystemEventHandler.__name__,
          BaseThread().daemon, watchdog.events.EVENT_TYPE_MOVED)


if __name__ == "__main__":
    triggers()
    scheduling()
    asyncio.run(later())
    watching()
