# needs: python3-statsmodels python3-patsy python3-fsspec python3-fonttools python3-threadpoolctl python3-pandas
# packages: statsmodels patsy fsspec fontTools threadpoolctl
"""A study: models from formulas, tests, a time series, own links and
transforms; file systems by protocol; a font that is built and cut."""
import copy
import io
import pickle
import warnings

import fsspec
import fsspec.implementations.memory
import numpy as np
import pandas as pd
import patsy
import statsmodels.api as sm
import statsmodels.formula.api as smf
import threadpoolctl
from fontTools import subset, ttLib
from fontTools.fontBuilder import FontBuilder
from fontTools.misc import sstruct, timeTools
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fsspec.core import split_protocol, url_to_fs
from fsspec.registry import known_implementations, register_implementation
from fsspec.spec import AbstractFileSystem
from patsy import PatsyError, dmatrices, dmatrix, stateful_transform
from statsmodels.genmod.families import links
from statsmodels.stats import diagnostic, multitest, weightstats
from statsmodels.tools.sm_exceptions import ValueWarning
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.stattools import acf, adfuller

warnings.simplefilter("ignore")


class Shift:
    def memorize_chunk(self, x):
        self.least = min(x)

    def memorize_finish(self):
        pass

    def transform(self, x):
        return x - self.least


shift = stateful_transform(Shift)


class Upper(AbstractFileSystem):
    protocol = "upper"

    def _open(self, path, mode="rb", **kwargs):
        return io.BytesIO(self._strip_protocol(path).upper().encode())

    def ls(self, path, detail=False, **kwargs):
        return [path]


class Half(links.Power):
    def __init__(self):
        super().__init__(power=0.5)


x = np.arange(20.0)
frame = pd.DataFrame({"x": x, "y": 2 * x + np.sin(x * 7), "k": list("ab") * 10,
                      "n": (x % 4).astype(int) + 1, "b": (np.sin(x) > 0).astype(int)})


def models():
    fit = smf.ols("y ~ x + C(k) + shift(x):k", frame).fit()
    print(fit.params.round(3).to_dict(), round(fit.rsquared, 5), len(str(fit.summary())) > 900)
    print(sm.OLS(frame.y, sm.add_constant(frame.x)).fit(cov_type="HC3").bse.round(3).tolist())
    for name in ("glm", "logit", "poisson", "quantreg", "gee", "rlm"):
        make = getattr(smf, name)
        groups = {"groups": "k"} if name == "gee" else {"data": frame}
        data = {"data": frame} if name == "gee" else {}
        done = make("b ~ x" if name == "logit" else "n ~ x", **groups, **data)
        print(name, done.fit(**({"disp": 0} if name in ("logit", "poisson") else {})).params
              .round(3).tolist())
    print(sm.GLM(frame.n, sm.add_constant(frame.x), family=sm.families.Gamma(links.Log())).fit()
          .params.round(3).tolist(), Half()(4.0))
    print(acf(frame.y, nlags=2).round(3), round(adfuller(frame.n)[0], 3), multitest
          .multipletests([0.01, 0.5], method="fdr_bh")[1], weightstats.ztest(x, value=9.5),
          round(diagnostic.acorr_ljungbox(frame.y, [1]).lb_stat.iloc[0], 2))
    arima = ARIMA(frame.y, order=(1, 0, 0)).fit()
    print(arima.params.round(1).tolist(), len(arima.forecast(2)), round(sm.stats.anova_lm(
        smf.ols("y ~ C(k)", frame).fit()).F.iloc[0], 4))
    again = pickle.loads(pickle.dumps(fit))
    print(again.predict(frame[:2]).round(3).tolist(), issubclass(ValueWarning, Warning))
    left, right = dmatrices("y ~ bs(x, df=4) + center(x) + Q('k') - 1", frame)
    print(left.shape, right.design_info.column_names, dmatrix("n:k", frame).shape)
    for bad in ("y ~ nothing_here", "y ~ ~ x", "y ~ x +"):
        try:
            dmatrices(bad, frame)
        except PatsyError as error:
            print(type(error).__name__, str(error).splitlines()[0][:50])


def files():
    with fsspec.open("memory://d/a.txt.gz", "wt", compression="gzip") as out:
        out.write("text")
    memory, path = url_to_fs("memory://d/a.txt.gz")
    print(memory.ls("/d", detail=False), fsspec.open(f"memory://{path}", "rt",
          compression="infer").open().read(), split_protocol("s3://b/c"))
    register_implementation("upper", Upper)
    print(fsspec.filesystem("upper").cat("upper://abc"), pickle.loads(pickle.dumps(memory))
          == memory, "zip" in known_implementations)
    memory.pipe("/z/one", b"1")
    mapped = fsspec.get_mapper("memory://z")
    mapped["two"] = b"2"
    print(sorted(mapped), memory.glob("/z/*"), memory.du("/z"), fsspec.implementations
          .memory.MemoryFileSystem.protocol)
    for bad in (lambda: fsspec.filesystem("nothing"), lambda: memory.open("/absent"),
                lambda: fsspec.open("memory://x", compression="none-such").open()):
        try:
            bad()
        except (ValueError, FileNotFoundError) as error:
            print(type(error).__name__)


def fonts():
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A", "B"])
    builder.setupCharacterMap({65: "A", 66: "B"})
    pen = TTGlyphPen(None)
    for move, point in (("moveTo", (0, 0)), ("lineTo", (500, 700)), ("lineTo", (500, 0))):
        getattr(pen, move)(point)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf({name: copy.deepcopy(glyph) for name in (".notdef", "A", "B")})
    builder.setupHorizontalMetrics({n: (600, 0) for n in (".notdef", "A", "B")})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Tiny", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.addOpenTypeFeatures("feature liga { sub A B by B; } liga;")
    out = io.BytesIO()
    builder.save(out)
    font = TTFont(out)
    print(sorted(font.keys()), font["name"].getDebugName(1), font.getBestCmap(), font["GSUB"]
          .table.FeatureList.FeatureRecord[0].FeatureTag)
    record, svg = RecordingPen(), SVGPathPen(font.getGlyphSet())
    font.getGlyphSet()["A"].draw(record)
    font.getGlyphSet()["A"].draw(svg)
    print(record.value[0], svg.getCommands(), newTable("head").tableTag, sstruct.calcsize(
        ">\n a: H\n b: L"), timeTools.timestampToString(0))
    cut = subset.Subsetter()
    cut.populate(text="A")
    cut.subset(font)
    font["head"].modified = 0
    xml = io.StringIO()
    font.saveXML(xml, tables=["GlyphOrder", "cmap"])
    print(font.getGlyphOrder(), xml.getvalue().count("<GlyphID"))
    try:
        TTFont(io.BytesIO(b"not a font"))
    except ttLib.TTLibError as error:
        print(error)


models()
files()
fonts()
with threadpoolctl.threadpool_limits(1, user_api="blas"):
    print(all(i["num_threads"] == 1 for i in threadpoolctl.threadpool_info()
              if i["user_api"] == "blas"), patsy.__name__)
