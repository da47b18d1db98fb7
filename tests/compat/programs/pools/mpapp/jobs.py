import hashlib
import os
from collections import Counter, OrderedDict
from fractions import Fraction
from multiprocessing import shared_memory

from . import errors

TAG = None


def init(tag):
    global TAG
    TAG = tag


def square(n):
    return Fraction(n * n, 2)


def tag():
    return OrderedDict(tag=TAG)


def add(a, b):
    return Counter(a=a, b=b)


def digest(w):
    return hashlib.sha256(w.encode()).hexdigest()


def fail(name):
    raise errors.JobError(name, 7)


def die():
    os._exit(3)


def bump(c, n):
    c.add(n)


def fill(d, q):
    d["b"] = Fraction(1, 3)
    q.put(Counter("aab"))


def poke(name):
    block = shared_memory.SharedMemory(name)
    block.buf[:4] = b"poke"
    block.close()
