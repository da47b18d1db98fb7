# needs: python3-matplotlib python3-numpy
# packages: matplotlib mpl_toolkits numpy
"""A plot service: the Agg, SVG and PDF backends by name, scales,
projections, colour maps and styles from their registries, own subclasses."""
import io
import pickle

import matplotlib

matplotlib.use("Agg")

import matplotlib.cm as cm                                 # noqa: E402
import matplotlib.dates as mdates                          # noqa: E402
import matplotlib.pyplot as plt                            # noqa: E402
import numpy as np                                         # noqa: E402
from matplotlib import colors, projections, scale, ticker  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure                       # noqa: E402
from matplotlib.patches import Circle, FancyArrowPatch     # noqa: E402
from matplotlib.projections.polar import PolarAxes         # noqa: E402
from matplotlib.transforms import Affine2D, Bbox           # noqa: E402
from mpl_toolkits.axes_grid1 import make_axes_locatable    # noqa: E402


class HalfPolar(PolarAxes):
    name = "halfpolar"


class SquareScale(scale.LinearScale):
    name = "square"


class Percent(ticker.Formatter):
    def __call__(self, x, pos=None):
        return f"{x:.0%}"


def draw():
    figure, axes = plt.subplots(2, 2, figsize=(4, 3))
    axes[0, 0].plot([0, 1, 2], [1, 10, 100], label="p")
    axes[0, 0].set_yscale("log")
    axes[0, 0].legend(loc="upper left")
    axes[0, 1].bar(["a", "b"], [0.1, 0.4])
    axes[0, 1].yaxis.set_major_formatter(Percent())
    image = axes[1, 0].imshow(np.arange(9).reshape(3, 3), cmap="viridis")
    figure.colorbar(image, cax=make_axes_locatable(axes[1, 0])
                    .append_axes("right", "5%"))
    axes[1, 1].add_patch(Circle((0.5, 0.5), 0.2))
    axes[1, 1].add_patch(FancyArrowPatch((0, 0), (1, 1)))
    axes[1, 1].annotate("peak", (0.5, 0.5), arrowprops={"arrowstyle": "->"})
    axes[1, 1].set_title(r"$\frac{a}{b}$")
    return figure


def save(figure):
    for kind in ("png", "svg", "pdf", "ps", "raw"):
        out = io.BytesIO()
        figure.savefig(out, format=kind)
        print(kind, out.getvalue()[:4] if kind != "raw"
              else len(out.getvalue()))
    try:
        figure.savefig(io.BytesIO(), format="nope")
    except ValueError as error:
        print(str(error)[:30])
    print(sorted(figure.canvas.get_supported_filetypes()))


shown = draw()
save(shown)
again = pickle.loads(pickle.dumps(shown))
print(len(again.axes), type(again.canvas).__name__)
projections.register_projection(HalfPolar)
scale.register_scale(SquareScale)
print(projections.get_projection_names(), scale.get_scale_names())
lone = Figure()
FigureCanvasAgg(lone)
for name in ("halfpolar", "3d", "hammer"):
    one = lone.add_subplot(projection=name)
    print(type(one).__name__)
lone.axes[1].plot([0, 1], [0, 1], [0, 1])
lone.canvas.draw()
print(np.asarray(lone.canvas.buffer_rgba()).shape)
print(colors.to_hex("tab:blue"), colors.LogNorm(1, 100)(10),
      cm.get_cmap("plasma")(0.5), matplotlib.colormaps["gray"].N)
try:
    colors.to_rgba("nocolour")
except ValueError as error:
    print(error)
with plt.style.context("ggplot"):
    print(plt.rcParams["axes.facecolor"], "bmh" in plt.style.available)
with matplotlib.rc_context({"lines.linewidth": 3}):
    print(plt.plot([1, 2])[0].get_linewidth())
print(mdates.num2date(19000).isoformat(), ticker.MaxNLocator(4)
      .tick_values(0, 10), Bbox.unit().width,
      Affine2D().rotate_deg(90).transform((1, 0)).round(6))
for what in ("hist", "scatter", "boxplot", "pie", "violinplot", "stem"):
    plt.figure()
    data = [1, 2, 2, 5]
    getattr(plt, what)(*((data, data) if what == "scatter" else (data,)))
    print(what, len(plt.gca().get_children()))
plt.close("all")
print(plt.get_fignums(), matplotlib.get_backend())
