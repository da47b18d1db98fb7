# needs: python3-dill python3-cloudpickle python3-joblib python3-numpy
# packages: dill cloudpickle joblib
"""Work that is sent elsewhere: functions, classes and closures pickled by
value, in this process and in another one; cached calls, pools, back ends."""
import abc
import collections
import functools
import io
import operator
import pickle
import subprocess
import sys
import types
from enum import Enum

import cloudpickle
import dill
import dill.source
import joblib
import joblib.hashing
import numpy as np
from cloudpickle import register_pickle_by_value, unregister_pickle_by_value
from cloudpickle.cloudpickle_fast import CloudPickler
from dill import detect, settings as kept
from joblib import Memory, Parallel, delayed, parallel_backend
from joblib.backports import LooseVersion
from joblib.func_inspect import filter_args, format_signature
from joblib.parallel import ParallelBackendBase, register_parallel_backend
from joblib.externals.loky.cloudpickle_wrapper import wrap_non_picklable_objects

Point = collections.namedtuple("Point", "x y")
LIMIT = 5


class Colour(Enum):
    RED = 1


class Base(abc.ABC):
    registry = []

    def __init_subclass__(cls):
        Base.registry.append(cls.__name__)

    @abc.abstractmethod
    def area(self): ...


class Square(Base):
    __slots__ = ("side",)

    def __init__(self, side):
        self.side = side

    @property
    def twice(self):
        return self.side * 2

    @classmethod
    def one(cls):
        return cls(1)

    def area(self):
        return min(super().__class__ and self.side ** 2, LIMIT)


class Inline(ParallelBackendBase):
    """A back end that calls at once."""

    def effective_n_jobs(self, n_jobs):
        return 1

    def apply_async(self, func, callback=None):
        result = func()
        if callback:
            callback(result)
        return types.SimpleNamespace(get=lambda timeout=None: result)


def counter(start):
    count = start

    def step(by=1, *, scale=lambda v: v * 2):
        nonlocal count
        count += by
        return scale(count)
    return step


def recursive(n):
    return n if n < 2 else recursive(n - 1) + recursive(n - 2)


def generator(n):
    yield from range(n)


things = {
    "lambda": lambda x: x + LIMIT, "closure": counter(3), "recursive": recursive,
    "class": Square, "instance": Square(3), "enum": Colour.RED, "tuple": Point(1, 2),
    "partial": functools.partial(operator.add, 2), "getter": operator.itemgetter(1),
    "module": collections, "bound": Square(2).area, "array": np.arange(3),
    "ufunc": np.add, "method": Square.one, "property": Square.twice,
    "generator": generator, "range": range(3), "type": type(None), "cached":
    functools.lru_cache(maxsize=3)(recursive), "default": collections.defaultdict(
        list, a=[1]), "slice": slice(1, 2), "frozen": types.MappingProxyType({"a": 1}),
    "code": recursive.__code__, "ellipsis": ..., "own": Base.registry,
}
for name, thing in things.items():
    for library in (cloudpickle, dill):
        try:
            back = library.loads(library.dumps(thing))
            print(name, library.__name__, type(back).__name__, end="; ")
        except (TypeError, pickle.PicklingError, AttributeError) as error:
            print(name, library.__name__, "not", type(error).__name__, end="; ")
    print()
step = cloudpickle.loads(cloudpickle.dumps(things["closure"]))
print(step(), step(2), things["closure"](), cloudpickle.loads(cloudpickle.dumps(
    recursive))(10))
code = cloudpickle.dumps((Square, recursive, things["lambda"], Colour))
child = ("import pickle, sys; S, r, f, C = pickle.load(sys.stdin.buffer); "
         "print(S(2).area(), r(7), f(1), C.RED, S.__mro__[1].__name__, S.registry)")
print(subprocess.run([sys.executable, "-c", child], input=code, check=True,
                     stdout=subprocess.PIPE).stdout.decode())
made = types.ModuleType("made_here")
exec("def f(): return g() + 1\ndef g(): return 41", vars(made))
sys.modules["made_here"] = made
register_pickle_by_value(made)
sent = cloudpickle.dumps(made.f)
unregister_pickle_by_value(made)
del sys.modules["made_here"]
print(cloudpickle.loads(sent)(), isinstance(CloudPickler(io.BytesIO()), pickle.Pickler))
print(dill.source.getsource(recursive).count("\n"), dill.copy(counter(1))(),
      dill.pickles(things["generator"](2)), detect.freevars(counter(7)), "recurse" in kept)
print(sorted(detect.globalvars(Square.area)), dill.load_types.__name__)
memory = Memory("cache", verbose=0)
calls = []


@memory.cache(ignore=["verbose"])
def slow(a, verbose=0):
    calls.append(a)
    return np.arange(a)


print(slow(3).sum(), slow(3, verbose=5).sum(), calls, slow.check_call_in_cache(3),
      joblib.hash({"a": np.eye(2)}) == joblib.hashing.hash({"a": np.eye(2)}))
for backend in ("sequential", "threading", "loky", "multiprocessing"):
    print(backend, Parallel(n_jobs=2, backend=backend)(delayed(abs)(-i)
                                                       for i in range(3)))
register_parallel_backend("inline", Inline)
with parallel_backend("inline"):
    print(Parallel()(delayed(pow)(i, 2) for i in range(3)))
for method in ("zlib", "gzip", "bz2", "lzma", "xz"):
    joblib.dump({"a": np.arange(9)}, "f." + method, compress=(method, 3))
    print(method, joblib.load("f." + method)["a"].sum())
try:
    joblib.dump(1, "f", compress=("none", 1))
except ValueError as error:
    print(str(error)[:40])
print(filter_args(slow.func, ["verbose"], (1,)), format_signature(slow.func, 1)[1],
      LooseVersion("1.10") > LooseVersion("1.9"),
      wrap_non_picklable_objects(lambda: 4)())
