# needs: python3-celery python3-kombu python3-vine python3-billiard
# packages: celery kombu vine billiard amqp
"""Celery over an in-memory broker: tasks, canvases, routing, beat schedules,
signals, results, serializers and a worker in a thread.
"""
import datetime
import logging
import pickle

import celery
import celery.app.base
import celery.canvas
import celery.contrib.testing.worker
import celery.schedules
import kombu.serialization
from celery import Celery, Task, chain, chord, group, shared_task, signals
from celery import signature, states, subtask
from celery.app.routes import Router
from celery.app.task import Context
from celery.beat import ScheduleEntry, Scheduler
from celery.exceptions import Ignore, MaxRetriesExceededError, NotRegistered
from celery.exceptions import Retry, TimeoutError
from celery.result import AsyncResult, EagerResult, GroupResult
from celery.schedules import crontab, schedule
from celery.utils.log import get_task_logger
from celery.utils.serialization import get_pickleable_exception
from kombu import Exchange, Queue

logging.disable(logging.CRITICAL)
log = get_task_logger(__name__)
app = Celery("tasks", broker="memory://", backend="cache+memory://")
SEEN = []


class Config:
    task_serializer = result_serializer = "json"
    accept_content = ["json", "pickle"]
    task_queues = [Queue("celery"), Queue("fast", Exchange("fast", "topic"),
                                          routing_key="fast.#")]
    task_routes = {"tasks.quick": {"queue": "fast"}}
    beat_schedule = {"every": {"task": "tasks.add", "schedule": 3.0,
                               "args": (1, 2)}}
    task_annotations = {"tasks.add": {"rate_limit": "10/s"}}
    broker_transport_options = {"polling_interval": 0.01}
    worker_hijack_root_logger = False


app.config_from_object(Config)


class Base(Task):
    abstract = True

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        SEEN.append(("failure", type(exc).__name__))

    def after_return(self, status, *rest):
        SEEN.append(("return", status))


@app.task(name="tasks.add", base=Base)
def add(x, y):
    return x + y


@app.task(name="tasks.quick")
def quick(x):
    return x * 10


@app.task(bind=True, name="tasks.flaky", base=Base, max_retries=2,
          default_retry_delay=0)
def flaky(self, fail):
    if self.request.retries < fail:
        raise self.retry(exc=ValueError("again"))
    return self.request.retries


@shared_task(name="tasks.shared", ignore_result=False)
def shared(items):
    return sum(items)


@signals.task_prerun.connect
def before(task=None, **kwargs):
    SEEN.append(("prerun", task.name))


def shapes():
    print(sorted(n for n in app.tasks if n.startswith("tasks.")),
          add.rate_limit, add.s(1).clone(args=(2,)).args)
    flow = chain(add.s(1, 2), quick.s(), add.s(5))
    print(flow, chord([add.s(1, 1), add.s(2, 2)], shared.s()).task,
          (add.s(1, 2) | quick.s()) == chain(add.s(1, 2), quick.s()),
          signature("tasks.add", args=(1, 2)).type.name, subtask(dict(add.s(1))))
    frozen = pickle.loads(pickle.dumps(group(add.s(i, i) for i in range(2))))
    print(type(frozen).__name__, len(frozen.tasks), add.subtask((1,)).immutable)
    route = Router(app.conf.task_routes and [app.amqp.router.routes[0]],
                   app.amqp.queues, app=app).route({}, "tasks.quick")
    print(route["queue"].name, app.amqp.router.route({}, "tasks.add")[
        "queue"].name, sorted(app.amqp.queues))
    beat = Scheduler(app, lazy=True)
    beat.setup_schedule()
    entry = beat.schedule["every"]
    print(isinstance(entry, ScheduleEntry), entry.task, entry.schedule)
    tab = crontab(minute="*/15", hour="8-10", day_of_week="mon")
    print(sorted(tab.minute), sorted(tab.hour), tab, tab == pickle.loads(
        pickle.dumps(tab)), schedule(5).human_seconds)
    try:
        crontab(minute="99")
    except (celery.schedules.ParseException, ValueError) as error:
        print(error)
    due = schedule(run_every=10, nowfun=lambda: datetime.datetime(
        2020, 1, 1, tzinfo=datetime.timezone.utc))
    print(due.is_due(datetime.datetime(2019, 12, 31, 23, 59, 55,
                                       tzinfo=datetime.timezone.utc)))


def eager():
    app.conf.task_always_eager = True
    result = chain(add.s(1, 2), quick.s()).apply_async()
    print(result.get(), isinstance(result, EagerResult), flaky.delay(1).get())
    failed = flaky.delay(5)
    print(failed.state, type(failed.result).__name__, SEEN[-1])
    try:
        failed.get()
    except (ValueError, MaxRetriesExceededError, Retry) as error:
        print(error)
    app.conf.task_always_eager = False
    print(states.precedence("FAILURE") < states.precedence("PENDING"),
          get_pickleable_exception(KeyError("k")), Context(id="i").id,
          sorted(kombu.serialization.registry._encoders)[:3])
    try:
        app.tasks["tasks.none"]
    except NotRegistered as error:
        print(error)


def working():
    with celery.contrib.testing.worker.start_worker(
            app, pool="solo", perform_ping_check=False, shutdown_timeout=5,
            queues=["celery", "fast"]) as worker:
        print(add.delay(3, 4).get(timeout=5, interval=0.01),
              quick.delay(2).get(timeout=5, interval=0.01))
        both = group(add.s(n, 1) for n in range(3)).apply_async()
        print(both.get(timeout=5, interval=0.01), both.successful(),
              isinstance(both, GroupResult))
        print(chord([add.s(1, 1), add.s(2, 2)])(shared.s()).get(
            timeout=5, interval=0.01))
        bad = add.delay("a", 1)
        try:
            bad.get(timeout=5, interval=0.01)
        except TypeError as error:
            print(type(error).__name__, AsyncResult(bad.id, app=app).state)
        print(worker.pool_cls.__name__, worker.app is app)
    try:
        add.delay(1, 1).get(timeout=0.05, interval=0.01)
    except TimeoutError as error:
        print(error, Ignore.__name__, celery.app.base.Celery is Celery)


if __name__ == "__main__":
    shapes()
    eager()
    working()
