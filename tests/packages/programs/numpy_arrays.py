# needs: python3-numpy
# packages: numpy
"""A numerical worker: linear algebra, FFT, polynomials, random streams,
structured and masked arrays, files in memory, a subclass of ndarray."""
import copy
import io
import pickle

import numpy as np
import numpy.ma as ma
import numpy.random
from numpy import linalg
from numpy.lib import recfunctions, stride_tricks
from numpy.lib.format import read_array, write_array
from numpy.polynomial import Polynomial, chebyshev as cheb
from numpy.testing import assert_allclose


class Signal(np.ndarray):
    """An array that remembers the rate it was sampled at."""

    def __new__(cls, values, rate=1.0):
        made = np.asarray(values, dtype=float).view(cls)
        made.rate = rate
        return made

    def __array_finalize__(self, source):
        self.rate = getattr(source, "rate", 1.0)


class Point(np.lib.mixins.NDArrayOperatorsMixin):
    def __init__(self, x):
        self.x = np.asarray(x)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [i.x if isinstance(i, Point) else i for i in inputs]
        return Point(getattr(ufunc, method)(*plain, **kwargs))


def algebra():
    a = np.array([[4.0, 1.0], [2.0, 3.0]])
    print(sorted(linalg.eigvals(a).round(6)), round(linalg.det(a), 6))
    print(linalg.solve(a, [1, 2]).round(6), np.linalg.matrix_rank(a))
    try:
        linalg.inv(np.zeros((2, 2)))
    except np.linalg.LinAlgError as error:
        print(type(error).__name__, error)
    print(np.abs(np.fft.rfft(np.sin(np.arange(16) * np.pi / 4))).round(6))
    print(np.einsum("ij,jk->ik", a, a).tolist(), np.kron([1, 2], [1, 1]))


def tables():
    t = np.array([(1, 2.5, b"ab"), (2, 3.5, b"cd")],
                 dtype=[("id", "i4"), ("v", "f8"), ("s", "S2")])
    wide = recfunctions.append_fields(t, "w", [7, 8], usemask=False)
    print(wide.dtype.names, wide["w"].sum(), t.view(np.recarray).v.mean())
    m = ma.masked_where(np.arange(5) % 2 == 0, np.arange(5))
    print(m, m.mean(), ma.compressed(m), m.filled(-1), repr(ma.masked))
    print(np.char.upper(np.array(["a", "bc"])), np.busday_count(
        "2024-01-01", "2024-02-01"), np.datetime64("2024-02-28") + 2)
    print(np.genfromtxt(io.StringIO("1,2\n3,4"), delimiter=",").tolist())
    print(stride_tricks.sliding_window_view(np.arange(5), 3).tolist())


def streams():
    rng = np.random.default_rng(7)
    again = pickle.loads(pickle.dumps(rng))
    print(rng.integers(0, 100, 4).tolist() == again.integers(0, 100, 4)
          .tolist(), type(rng.bit_generator).__name__)
    for name in ("MT19937", "Philox", "SFC64"):
        g = np.random.Generator(getattr(numpy.random, name)(3))
        print(name, g.standard_normal(2).round(4).tolist())
    out = io.BytesIO()
    np.savez_compressed(out, a=np.eye(2), b=np.arange(3))
    out.seek(0)
    with np.load(out) as found:
        print(sorted(found.files), found["a"].trace())
    raw = io.BytesIO()
    write_array(raw, np.arange(4).reshape(2, 2))
    raw.seek(0)
    print(read_array(raw).tolist())


algebra()
tables()
streams()
s = pickle.loads(pickle.dumps(copy.deepcopy(Signal([1, 2, 3], 8.0)[1:])))
print(type(s).__name__, Signal([1, 2], 8.0)[:1].rate, s.sum())
print((Point([1, 2]) * 3 + Point(1)).x, Polynomial([1, 2, 1]).roots())
print(cheb.chebval(0.5, [1, 2, 3]), np.vectorize(lambda v: v + 1)([1, 2]))
assert_allclose(np.pi, 3.14159265, rtol=1e-7)
with np.errstate(divide="raise"):
    try:
        np.array([1.0]) / 0
    except FloatingPointError as error:
        print(error)
with np.printoptions(precision=2):
    print(np.array([np.e]), np.ctypeslib.as_array((np.ctypeslib.ctypes.c_int
                                                   * 2)(5, 6)))
print(np.matrix("1 2; 3 4") * np.matrix("1; 1"), np.r_[1:3, 9], np.s_[1:2])
