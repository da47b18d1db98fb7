# needs: python3-dask python3-pandas python3-numpy
# packages: dask pandas numpy
"""Frames in partitions: reading and writing, groups, joins, shuffles, windows,
categories, accessors, graphs and what they are optimised to."""
import glob
import os
import pickle
import tempfile

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.base import is_dask_collection, tokenize, visualize
from dask.blockwise import Blockwise
from dask.dataframe.core import Scalar, has_parallel_type, new_dd_object
from dask.dataframe.dispatch import concat, make_meta, tolist_dispatch
from dask.dataframe.extensions import (
    register_dataframe_accessor, register_series_accessor)
from dask.dataframe.utils import assert_eq, meta_nonempty
from dask.delayed import delayed
from dask.highlevelgraph import HighLevelGraph
from dask.layers import DataFrameIOLayer
from dask.sizeof import sizeof
from dask.utils import format_bytes, parse_bytes, typename


@register_dataframe_accessor("shop")
class ShopAccessor:
    def __init__(self, frame):
        self._frame = frame

    @property
    def takings(self):
        return (self._frame.price * self._frame.count_).sum()


@register_series_accessor("cents")
class CentsAccessor:
    def __init__(self, series):
        self._series = series

    def total(self):
        return (self._series * 100).sum()


def sales():
    return pd.DataFrame({
        "day": pd.date_range("2024-01-01", periods=12),
        "kind": ["tea", "bun", "tea", "egg"] * 3,
        "price": np.arange(1.0, 13.0), "count_": [1, 2, 3, 4, 5, 6] * 2})


def frames():
    whole = sales()
    parts = dd.from_pandas(whole, npartitions=3)
    print(parts.npartitions, parts.divisions, len(parts), parts.dtypes.to_dict())
    print(parts.shop.takings.compute(), parts.price.cents.total().compute())
    print(parts.groupby("kind").price.agg(["mean", "max"]).compute()
          .sort_index().to_string())
    print(parts.groupby("kind").count_.apply(
        lambda s: s.max() - s.min(), meta=("spread", "i8")).compute()
        .sort_index().to_dict())
    rates = pd.DataFrame({"kind": ["tea", "bun"], "rate": [7, 19]})
    joined = parts.merge(rates, on="kind", how="left")
    print(joined.rate.sum().compute(), joined.rate.isna().sum().compute())
    moved = parts.set_index("day")
    print(moved.known_divisions, moved.loc["2024-01-03":"2024-01-05"]
          .price.compute().tolist(),
          moved.price.rolling(3).mean().compute().iloc[-1],
          moved.price.resample("4D").sum().compute().tolist())
    print(sorted(parts.categorize("kind").kind.cat.categories),
          parts.kind.str.upper().nunique().compute(),
          parts.price.quantile(0.5).compute(),
          parts.describe().compute().loc["mean", "price"])
    assert_eq(parts.repartition(npartitions=2), whole)
    assert_eq(dd.concat([parts, parts], interleave_partitions=True).price.sum(),
              2 * whole.price.sum())
    shuffled = parts.shuffle("kind", shuffle="tasks")
    print(sum(part.kind.nunique() for part in
              dask.compute(*shuffled.to_delayed())),
          parts.map_partitions(len).compute().tolist())
    array = parts[["price", "count_"]].to_dask_array(lengths=True)
    print(array.shape, da.diag(array.T @ array).sum().compute())
    frame = dd.from_delayed([delayed(sales)() for _ in range(2)])
    print(frame.count_.value_counts().compute().max(), type(frame.price.sum())
          is Scalar, pickle.loads(pickle.dumps(parts)).price.sum().compute())


def files():
    with tempfile.TemporaryDirectory() as folder:
        parts = dd.from_pandas(sales(), npartitions=2)
        parts.to_csv(os.path.join(folder, "s-*.csv"), index=False)
        print(sorted(map(os.path.basename, glob.glob(folder + "/*"))))
        again = dd.read_csv(os.path.join(folder, "s-*.csv"),
                            parse_dates=["day"], blocksize="50B")
        print(again.npartitions > 2, again.price.sum().compute())
        parts.to_json(os.path.join(folder, "j-*.json"))
        print(len(dd.read_json(os.path.join(folder, "j-*.json"))))
        for read in (lambda: dd.read_parquet(folder, engine="nope"),
                     lambda: dd.read_csv(os.path.join(folder, "none-*.csv")),
                     lambda: parts.absent, lambda: parts.set_index("absent")):
            try:
                print(read())
            except (AttributeError, KeyError, OSError, ValueError) as error:
                print(type(error).__name__)


def graphs():
    parts = dd.from_pandas(sales(), npartitions=3)
    grown = (parts[["price"]] + 1).price
    graph = grown.__dask_graph__()
    print(type(graph) is HighLevelGraph, sorted(
        type(layer).__name__ for layer in graph.layers.values()))
    (better,) = dask.optimize(grown)
    print(len(better.__dask_graph__().layers) <= len(graph.layers),
          better.sum().compute(), is_dask_collection(grown),
          tokenize(1, [2]) == tokenize(1, [2]))
    print(typename(type(make_meta(parts))), meta_nonempty(
        pd.Series([], dtype="i8")).tolist(), tolist_dispatch(pd.Series([1])),
        concat([pd.Series([1]), pd.Series([2])]).tolist(),
        has_parallel_type(pd.Series([1])), has_parallel_type(1))
    print(sizeof(pd.Series([1, 2])) > 0, format_bytes(parse_bytes("1 kB")),
          issubclass(DataFrameIOLayer, Blockwise), callable(visualize),
          new_dd_object(graph, grown._name, grown._meta, grown.divisions)
          .max().compute())
    with dask.config.set(scheduler="threads", num_workers=2):
        print(parts.price.std().compute().round(3))


frames()
files()
graphs()
