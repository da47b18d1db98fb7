# needs: python3-prometheus-client
# packages: prometheus_client
"""Metrics of every kind, registries, exposition in two formats by WSGI and
ASGI, parsers, bridges and errors.
"""
import asyncio
import io
import pickle

import prometheus_client
import prometheus_client.exposition
import prometheus_client.openmetrics.exposition
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram
from prometheus_client import Info, Summary, generate_latest, make_wsgi_app
from prometheus_client import REGISTRY, Metric, metrics
from prometheus_client.bridge.graphite import GraphiteBridge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_fd_to_metric_families
from prometheus_client.registry import Collector

registry = CollectorRegistry(auto_describe=True)
asked = Counter("asked", "How many.", ["path", "code"], registry=registry)
held = Gauge("held", "Held.", namespace="n", registry=registry)
took = Histogram("took_seconds", "Took.", buckets=[1, 5], registry=registry)
size = Summary("size", "Sizes.", registry=registry)
state = Enum("state", "State.", states=["up", "down"], registry=registry)
built = Info("built", "Build.", registry=registry)


class Own(Collector):
    def collect(self):
        family = CounterMetricFamily("own", "Own.", labels=["k"])
        family.add_metric(["v"], 3)
        yield family
        yield GaugeMetricFamily("two", 'Say "x"\n', value=float("inf"))


@held.track_inprogress()
@asked.labels("/fail", "500").count_exceptions(ValueError)
def fail():
    raise ValueError(held._value.get())


def samples():
    asked.labels("/a", 200).inc(2)
    asked.labels(path="/b", code='4"0').inc(exemplar={"id": "x"})
    for value in (0.5, 2, 9):
        took.observe(value)
    size.observe(7)
    state.state("down")
    built.info({"v": "1"})
    held.inc(1.5)
    registry.register(Own())
    try:
        fail()
    except ValueError as error:
        print(error)
    text = generate_latest(registry).decode()
    print("\n".join(x for x in text.splitlines() if "_created" not in x))
    for family in text_fd_to_metric_families(io.StringIO(text)):
        if family.name in ("asked", "two"):
            print(family.name, family.type, len(family.samples))
    later = prometheus_client.openmetrics.exposition.generate_latest(
        registry).decode()
    print(later.splitlines()[-1], [m.name for m in
                                   text_string_to_metric_families(later)])
    print(registry.get_sample_value("asked_total", {"path": "/a", "code": "200"}),
          registry.restricted_registry(["two"]).collect() is not None,
          [m.name for m in registry.restricted_registry(["two"]).collect()])
    for bad in (lambda: Counter("asked", "x", registry=registry),
                lambda: Counter("bad name", "x"), lambda: asked.labels("a"),
                lambda: asked.labels("a", "b").inc(-1),
                lambda: Gauge("g", "x", ["__r"]), lambda: state.state("odd"),
                lambda: list(text_string_to_metric_families("a 1\n"))):
        try:
            bad()
        except ValueError as error:
            print(type(error).__name__, str(error)[:40])
    server = prometheus_client.exposition.ThreadingWSGIServer
    print(server.__name__, sorted(n for n in REGISTRY._names_to_collectors if
                                  n.startswith("python_info")))
    status = []
    body = make_wsgi_app(registry)({"QUERY_STRING": "name[]=two", "PATH_INFO":
                                    "/", "HTTP_ACCEPT": ""}, lambda s, h:
                                   status.append(s))
    print(status, body[0].decode().splitlines()[-1], pickle.loads(pickle.dumps(
        prometheus_client.core.Timestamp(1, 5))), isinstance(took, metrics.
                                                            MetricWrapperBase))
    print(GraphiteBridge.__name__, Metric("m", "d", "gauge") == Metric("m", "d", "gauge"))


def asynchronous():
    app = prometheus_client.make_asgi_app(registry)
    sent = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(event):
        sent.append(event)

    asyncio.run(app({"type": "http", "query_string": b"name[]=two",
                     "headers": []}, receive, send))
    print(sent[0]["status"], b"two +Inf" in sent[1]["body"])


if __name__ == "__main__":
    samples()
    asynchronous()
