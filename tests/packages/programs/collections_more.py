# needs: python3-sortedcontainers python3-cachetools python3-more-itertools python3-toolz python3-tenacity python3-blinker python3-wrapt python3-decorator python3-deepdiff
# packages: sortedcontainers cachetools more_itertools toolz tenacity blinker wrapt decorator deepdiff
"""Helpers a service is built of: containers, caches, iterators, curried
functions, retries, signals, proxies, decorators and differences."""
import asyncio
import copy
import pickle
import threading

import blinker
import cachetools
import cachetools.func
import cachetools.keys
import decorator
import deepdiff
import more_itertools as mit
import sortedcontainers
import tenacity
import toolz
import toolz.curried as curried
import wrapt
from cachetools import LRUCache, TTLCache, cached, cachedmethod
from decorator import contextmanager, dispatch_on
from deepdiff import DeepDiff, DeepHash, DeepSearch, Delta, extract, grep
from deepdiff.operator import BaseOperator
from more_itertools import recipes
from more_itertools.more import peekable
from sortedcontainers.sortedlist import SortedKeyList
from tenacity import (RetryError, Retrying, retry, retry_if_exception_type,
                      stop_after_attempt, wait_none)
from tenacity.wait import wait_base
from toolz import compose, functoolz, itertoolz
from toolz.sandbox.core import EqualityHashKey
from wrapt import ObjectProxy, synchronized, when_imported


class Sized(LRUCache):
    """A cache that tells what it drops."""

    dropped = ()

    def popitem(self):
        key, value = super().popitem()
        self.dropped += (key,)
        return key, value


class Near(BaseOperator):
    def give_up_diffing(self, level, diff_instance):
        return abs(level.t1 - level.t2) < 1


class NoWait(wait_base):
    def __call__(self, retry_state):
        return 0


class Loud(ObjectProxy):
    def shout(self):
        return str(self.__wrapped__).upper()


@decorator.decorator
def trace(function, label="call", *args, **kwargs):
    print(label, function.__name__, args)
    return function(*args, **kwargs)


@trace(label="traced")
def add(a, b=2):
    """Sum."""
    return a + b


@dispatch_on("shape")
def draw(shape):
    return "thing"


@draw.register(int)
def draw_int(shape):
    return "number"


@wrapt.decorator
def twice(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs) * 2


class Tool:
    @twice
    def run(self, n):
        return n

    @cachedmethod(lambda self: self.cache, key=cachetools.keys.typedkey)
    def slow(self, n):
        return [n]

    @synchronized
    def safe(self):
        return "safe"

    cache = TTLCache(4, 60, timer=lambda: 0)


sl = sortedcontainers.SortedList([3, 1, 2])
sl.add(0)
sd = sortedcontainers.SortedDict({"b": 1, "a": 2})
print(sl.bisect(2), sl, sd.peekitem(0), sd.items()[1], SortedKeyList(
    [1, -5], key=abs), pickle.loads(pickle.dumps(sd)) == copy.copy(sd),
    sortedcontainers.SortedSet([2, 1]) | {5})
try:
    sl.insert(0, 9)
except NotImplementedError as error:
    print(error)
cache = Sized(2)
for key in "abc":
    cache[key] = key
tool = Tool()
print(cache.dropped, tool.slow(1) is tool.slow(1), tool.slow(1) is tool.slow(1.0))
for name in ("FIFOCache", "LFUCache", "MRUCache", "RRCache"):
    one = getattr(cachetools, name)(2)
    one.update(a=1)
    print(name, one)
fast = cachetools.func.lfu_cache(maxsize=2)(lambda x: x)
fast(1), fast(1)
print(fast.cache_info(), cached({}, lock=threading.Lock())(len)("abc"))
p = peekable(range(3))
print(p.peek(), list(mit.chunked("abcde", 2)), list(mit.windowed([1, 2, 3], 2)),
      recipes.take(2, mit.count_cycle("ab")), mit.one([5]), list(mit.split_at("a,b", lambda c: c == ",")))
try:
    mit.one([])
except ValueError as error:
    print(error)
print(toolz.groupby(len, ["a", "bb", "c"]), curried.pipe(
    [1, 2], curried.map(lambda x: x + 1), list), toolz.curry(max)(1)(4),
    compose(str, abs)(-3), functoolz.juxt(min, max)([1, 2]), list(
        itertoolz.sliding_window(2, [1, 2, 3])), toolz.get_in(["a", 0], {"a": [7]}),
    toolz.dicttoolz.merge_with(sum, {"a": 1}, {"a": 2}), EqualityHashKey(
        None, [1]) == EqualityHashKey(None, [1]))
tries = []


@retry(stop=stop_after_attempt(3), wait=NoWait() + wait_none(), retry=
       retry_if_exception_type(KeyError))
def flaky():
    tries.append(1)
    {}["x"] if len(tries) < 3 else None
    return len(tries)


@retry(stop=tenacity.stop_after_attempt(2), wait=wait_none())
async def never():
    raise OSError("no")


print(flaky(), flaky.retry.statistics["attempt_number"])
try:
    asyncio.run(never())
except RetryError as error:
    print(type(error.last_attempt.exception()).__name__)
for attempt in Retrying(stop=stop_after_attempt(2), reraise=True):
    with attempt:
        print("attempt", attempt.retry_state.attempt_number)
sent = blinker.Namespace().signal("sent")
sent.connect(lambda sender, **kw: print("got", sender, kw), weak=False)
sent.send("me", n=1)
print(blinker.signal("x") is blinker.signal("x"), blinker.ANY, bool(
    sent.has_receivers_for(blinker.ANY)))
print(tool.run(4), tool.safe(), Loud("abc").shout(), isinstance(Loud("x"), str),
      add.__doc__, draw(3), draw("x"), when_imported.__name__)
with contextmanager(lambda: (yield 5))() as five:
    print(five)
left, right = {"a": [1, 2], "n": 1.5}, {"a": [1, 3, 4], "n": 2}
diff = DeepDiff(left, right)
print(diff, DeepDiff(1.2, 1.5, custom_operators=[Near(types=[float])]),
      left + Delta(diff) == right, extract(left, "root['a'][1]"))
print(left | grep(2), DeepSearch(right, 4), DeepHash("a")["a"] == DeepHash(
    ["a"])["a"], deepdiff.DeepDiff([1, 2], [2, 1],
                                                 ignore_order=True).to_json())
print(diff.pretty(), DeepDiff(left, right, view="tree")["values_changed"][0].path())
