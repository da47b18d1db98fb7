# needs: python3-structlog
# packages: structlog
"""Structured logs: processors, context variables, filtering, captured events,
tracebacks, renderers, and the standard library's loggers.
"""
import io
import json
import logging
import pickle
import sys

import structlog
import structlog.contextvars
import structlog.stdlib
from structlog import dev, processors, testing, threadlocal, tracebacks, types
from structlog.processors import CallsiteParameter, CallsiteParameterAdder
from structlog.stdlib import BoundLogger, LoggerFactory, ProcessorFormatter
from structlog.typing import Processor


def add_unit(logger, name, event):
    event["unit"] = name
    if event.get("secret"):
        raise structlog.DropEvent
    return event


def logs():
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, add_unit,
                    structlog.stdlib.add_log_level,
                    CallsiteParameterAdder({CallsiteParameter.FUNC_NAME}),
                    processors.format_exc_info, processors.UnicodeDecoder(),
                    processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout))
    log = structlog.get_logger(who="ann")
    with structlog.contextvars.bound_contextvars(request=5):
        log.info("with", data=[1, b"x"])
    log.debug("dropped")
    log.warning("secret", secret=True)
    log.bind(a=1).unbind("who").new(b=2).error("bound")
    try:
        1 / 0
    except ZeroDivisionError:
        with testing.capture_logs() as caught:
            log.exception("broke")
        print(caught)
        found = tracebacks.extract(*sys.exc_info())
        print(found.stacks[0].exc_type, found.stacks[0].frames[0].name)
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(ProcessorFormatter(
        processor=dev.ConsoleRenderer(colors=False),
        foreign_pre_chain=[structlog.stdlib.add_logger_name]))
    standard = logging.getLogger("std")
    standard.addHandler(handler)
    standard.setLevel("INFO")
    standard.propagate = False
    structlog.reset_defaults()
    structlog.configure(processors=[
        structlog.stdlib.filter_by_level, structlog.stdlib.PositionalArgumentsFormatter(),
        ProcessorFormatter.wrap_for_formatter], logger_factory=LoggerFactory(),
        wrapper_class=BoundLogger, cache_logger_on_first_use=True)
    structlog.get_logger("std").info("hello %s", "x", k="v")
    standard.warning("plain %d", 3)
    print([line.split() for line in out.getvalue().splitlines()])
    print(processors.LogfmtRenderer(sort_keys=True)(None, "", {"b": "x y", "a":
                                                              None}),
          processors.KeyValueRenderer(key_order=["z"])(None, "", {"y": 1, "z": 2}),
          processors.EventRenamer("msg")(None, "", {"event": "e"}), json.loads(
              processors.JSONRenderer()(None, "", {"x": {1}}))["x"],
          structlog.is_configured(), threadlocal.__name__, Processor is
          types.Processor, pickle.loads(pickle.dumps(structlog.BytesLogger))
          is structlog.BytesLogger)


if __name__ == "__main__":
    logs()
