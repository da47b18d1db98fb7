# needs: python3-xarray python3-dask python3-pandas python3-numpy
# packages: xarray dask pandas numpy
"""Labelled arrays and lazy task graphs: groups, accessors, schedulers by
name, bags, delayed calls, configuration."""
import operator
import pickle

import dask
import dask.array as da
import dask.bag as db
import dask.threaded
import numpy as np
import pandas as pd
import xarray as xr
from dask.base import DaskMethodsMixin, tokenize
from dask.callbacks import Callback
from dask.core import flatten, get_dependencies
from dask.delayed import delayed
from dask.optimization import cull, fuse
from xarray.core.variable import Variable
from xarray.testing import assert_identical


@xr.register_dataset_accessor("geo")
class GeoAccessor:
    def __init__(self, dataset):
        self._dataset = dataset

    @property
    def middle(self):
        return float(self._dataset.lon.mean())


class Counter(Callback):
    def __init__(self):
        self.done = 0

    def _posttask(self, key, result, dsk, state, worker_id):
        self.done += 1


class Boxed(DaskMethodsMixin):
    """A collection of our own, of one key."""

    __dask_scheduler__ = staticmethod(dask.threaded.get)

    def __init__(self, graph):
        self.graph = graph

    def __dask_graph__(self):
        return self.graph

    def __dask_keys__(self):
        return ["end"]

    def __dask_postcompute__(self):
        return lambda results: results[0], ()


def labelled():
    times = pd.date_range("2024-01-01", periods=4)
    t = xr.DataArray(np.arange(8.0).reshape(4, 2), dims=("time", "lon"),
                     coords={"time": times, "lon": [10, 20]}, name="t")
    data = t.to_dataset().assign_attrs(title="run")
    print(data.geo.middle, data.t.sel(lon=20).values, data.sizes["time"])
    print(t.groupby("time.dayofyear").mean().mean("lon").values,
          t.resample(time="2D").sum().shape, t.rolling(time=2).mean()
          .isel(lon=0).values)
    print(data.to_dataframe().head(1).to_string(), t.interp(lon=15)
          .values.tolist())
    print(xr.where(t > 3, 1, 0).sum().item(), xr.concat([t, t], "run").shape,
          xr.merge([t, t.rename("u")]).data_vars.keys())
    assert_identical(t, pickle.loads(pickle.dumps(t)))
    lazy = t.chunk({"time": 2})
    print(type(lazy.data).__name__, lazy.mean().compute().item())
    print(xr.apply_ufunc(np.square, lazy, dask="parallelized").sum().values,
          Variable("x", [1, 2]).std().item(), np.sin(t).shape)
    for bad in (lambda: t.sel(lon=99), lambda: t.isel(nothing=1),
                lambda: xr.open_dataset("absent.nc", engine="nope")):
        try:
            bad()
        except (KeyError, ValueError) as error:
            print(type(error).__name__, str(error)[:35])
    print(repr(data.t.encoding), "run" in repr(data), xr.set_options(
        display_width=60) is not None)


def graphs():
    graph = {"a": 1, "b": (operator.add, "a", 2), "c": (sum, ["a", "b"])}
    print(dask.get(graph, "c"), get_dependencies(graph, "c"),
          sorted(cull(graph, ["b"])[0]), len(fuse(graph, ["c"])))
    total = delayed(sum)([delayed(operator.mul)(i, 2) for i in range(4)])
    for name in ("sync", "threads", "synchronous"):
        print(name, total.compute(scheduler=name))
    with Counter() as counter:
        print(Boxed({"end": (max, [1, 5])}).compute(), counter.done)
    x = da.arange(10, chunks=4)
    print(x.chunks, (x + x.T).sum().compute(), da.linalg.norm(x).compute()
          .round(4), da.stack([x, x]).shape, x[::3].compute())
    print(db.from_sequence(["a", "b", "a"], npartitions=2).frequencies()
          .compute(scheduler="sync"), tokenize(1) == tokenize(1))
    with dask.config.set({"array.chunk-size": "1MiB"}):
        print(dask.config.get("array.chunk-size"))
    print(list(flatten([[1], [2]])), dask.utils.parse_bytes("1kB"))
    try:
        total.compute(scheduler="none-such")
    except ValueError as error:
        print(str(error)[:30])


labelled()
graphs()
