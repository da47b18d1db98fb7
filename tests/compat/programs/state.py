"""Order matters here: environment, locale, warnings, patches, time zones."""
import os

os.environ["TZ"] = "UTC"
os.environ["SHOP_MODE"] = "test"

import time                                               # noqa: E402
import datetime                                           # noqa: E402
import locale                                             # noqa: E402
import logging.config                                     # noqa: E402
import warnings                                           # noqa: E402

warnings.simplefilter("error", ResourceWarning)
time.tzset()

import json                                               # noqa: E402
import random                                             # noqa: E402
import sys                                                # noqa: E402

real = json.dumps
json.dumps = lambda value, **options: "patched " + real(value, **options)
from json import dumps                                    # noqa: E402

json.dumps = real
random.seed(3)

logging.config.dictConfig({
    "version": 1,
    "formatters": {"short": {"format": "%(name)s-%(levelname)s-%(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler",
                         "formatter": "short", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["out"], "level": "INFO"}})


class Settings:
    mode = os.environ["SHOP_MODE"]
    started = datetime.datetime.fromtimestamp(0).isoformat()


logging.getLogger("shop").info("%s %s", Settings.mode, Settings.started)
print(dumps([1]), json.dumps([1]), random.random(), time.tzname[0])
print(locale.setlocale(locale.LC_ALL), sys.flags.utf8_mode)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("seen", UserWarning)
print([str(one.message) for one in caught])
logging.shutdown()
