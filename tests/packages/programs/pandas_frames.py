# needs: python3-pandas python3-numpy
# packages: pandas numpy
"""A reporting job: frames in and out of text formats, groups, joins, time
series, an extension type and accessor found by name, error classes."""
import io
import pickle

import numpy as np
import pandas as pd
import pandas.api.types as pdt
from pandas.api.extensions import (ExtensionDtype, register_dataframe_accessor,
                                   register_extension_dtype)
from pandas.errors import MergeError, ParserError
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BMonthEnd, Day
from pandas.testing import assert_frame_equal

CSV = "day,shop,sold\n2024-01-01,a,3\n2024-01-02,b,4\n2024-02-01,a,5\n"


@register_extension_dtype
class MoneyDtype(ExtensionDtype):
    name = "money"
    type = float


@register_dataframe_accessor("shop")
class ShopAccessor:
    def __init__(self, frame):
        self._frame = frame

    def best(self):
        return self._frame.groupby("shop").sold.sum().idxmax()


class Ledger(pd.DataFrame):
    @property
    def _constructor(self):
        return Ledger


def read():
    frame = pd.read_csv(io.StringIO(CSV), parse_dates=["day"])
    print(frame.dtypes.to_string(), pd.DataFrame.shop(frame).best())
    table = frame.groupby("shop").sold.agg(["sum", "mean"])
    print(table.to_string(), pd.DataFrame.shop.__name__)
    print(frame.pivot_table(index="shop", values="sold", aggfunc="max")
          .to_json(), frame.to_dict("records")[0]["shop"])
    print(frame.set_index("day").resample("M").sold.sum().to_string())
    for orient in ("split", "records", "table"):
        text = frame.to_json(orient=orient)
        back = pd.read_json(io.StringIO(text), orient=orient)
        print(orient, back.shape)
    assert_frame_equal(frame, pickle.loads(pickle.dumps(frame)))
    print(frame.merge(frame, on="shop").shape, frame.query("sold > 3").shape)
    return frame


def errors(frame):
    for action in (lambda: pd.read_csv(io.StringIO("a,b\n1,2,3\n1,2,3,4\n")),
                   lambda: frame.merge(frame, on="shop", validate="1:1"),
                   lambda: pd.to_datetime("nonsense"),
                   lambda: frame["absent"],
                   lambda: pd.eval("1 +")):
        try:
            action()
        except (ParserError, MergeError, ValueError, KeyError,
                SyntaxError) as error:
            print(type(error).__name__, str(error).splitlines()[0][:50])


def types():
    s = pd.Series([1, None, 3], dtype="Int64")
    print(s.sum(), s.dtype, pd.api.types.is_integer_dtype(s),
          pdt.is_list_like("x"))
    c = pd.Series(["x", "y", "x"], dtype="category")
    print(c.cat.categories.tolist(), c.value_counts().to_dict())
    print(pd.Series(["a1", "b2"], dtype="string").str.extract(r"(\d)")[0]
          .tolist())
    print(type(pd.api.types.pandas_dtype("money")).__name__, pd.Interval(0, 1),
          pd.IntervalIndex.from_breaks([0, 1, 2]).dtype)
    print(pd.cut([1, 5, 9], 3, labels=list("abc")).tolist())
    print(pd.arrays.SparseArray([0, 0, 1]).density, pd.NA is pd.NA)
    print(pd.Period("2024-01", "M") + 1, pd.Timedelta("1h") * 3,
          to_offset("3D"), Day(2) + pd.Timestamp("2024-01-01"))
    print(pd.bdate_range("2024-01-01", periods=2, freq=BMonthEnd())[1],
          pd.Timestamp("2024-03-31 12:00", tz="Europe/Berlin").utcoffset())


data = read()
errors(data)
types()
print(type(Ledger(data)[["sold"]]).__name__, data.sold.rolling(2).mean()
      .tolist(), data.sold.ewm(alpha=0.5).mean().round(3).tolist())
wide = pd.DataFrame(np.arange(6).reshape(2, 3), columns=list("abc"),
                    index=pd.MultiIndex.from_tuples([(1, "x"), (2, "y")]))
print(wide.stack().to_string(), wide.xs("x", level=1).to_csv())
print(wide.melt().shape, wide.describe().loc["mean"].tolist())
with pd.option_context("display.max_columns", 1):
    print(pd.get_option("display.max_columns"), repr(wide))
print(pd.crosstab(data["shop"], data["sold"]).to_string())
print(wide.to_html().count("<td>"), wide.eval("a + b").tolist())
