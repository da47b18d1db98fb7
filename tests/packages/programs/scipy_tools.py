# needs: python3-scipy python3-numpy
# packages: scipy numpy
"""Scientific routines of many scipy packages, found as attributes of the
package, by sub-module import and by the name of a method."""
import io
import pickle

import numpy as np
import scipy
import scipy.sparse as sp
from scipy import constants, fft, integrate, interpolate, linalg, ndimage
from scipy import optimize, signal, spatial, special, stats
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.io import loadmat, savemat, wavfile
from scipy.sparse import csgraph
from scipy.sparse.linalg import LinearOperator, spsolve


class Triangle(stats.rv_continuous):
    """A density 2x on the unit interval."""

    def _pdf(self, x):
        return 2 * x


class Double(LinearOperator):
    def __init__(self, n):
        super().__init__(float, (n, n))

    def _matvec(self, x):
        return 2 * x


def rosen(x):
    return optimize.rosen(x)


def solve():
    for method in ("Nelder-Mead", "BFGS", "SLSQP", "L-BFGS-B"):
        r = optimize.minimize(rosen, [1.2, 0.9], method=method)
        print(method, np.round(r.x, 2), r.success)
    print(round(optimize.brentq(lambda x: x * x - 2, 0, 2), 9))
    print(optimize.linprog([-1, -2], A_ub=[[1, 1]], b_ub=[4]).x.round(6))
    rows, cols = optimize.linear_sum_assignment([[4, 1], [2, 8]])
    print(rows.tolist(), cols.tolist())
    print(round(integrate.quad(np.exp, 0, 1)[0], 9))
    ivp = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], method="LSODA",
                              rtol=1e-8)
    print(round(float(ivp.y[0, -1]), 5))


def matrices():
    m = sp.csr_matrix([[2.0, 0], [1, 3]])
    print(m.nnz, spsolve(m.tocsc(), [2.0, 4]).round(6), m.T.todense().tolist())
    print(csgraph.shortest_path(sp.coo_matrix([[0, 1, 0], [0, 0, 2],
                                               [0, 0, 0]]))[0])
    print(Double(3).matvec(np.ones(3)), linalg.expm(np.zeros((2, 2))).tolist())
    print(np.round(linalg.lu(np.array([[1.0, 2], [3, 4]]))[2], 4).tolist())
    out = io.BytesIO()
    savemat(out, {"a": np.arange(3)})
    out.seek(0)
    print(loadmat(out)["a"].tolist())
    out = io.BytesIO()
    wavfile.write(out, 8000, np.arange(8, dtype=np.int16))
    out.seek(0)
    print(wavfile.read(out)[0])


def statistics():
    for name in ("norm", "gamma", "poisson"):
        d = getattr(stats, name)
        args = (2,) if name != "norm" else ()
        print(name, round(float(d.cdf(1, *args)), 6), d.mean(*args))
    frozen = pickle.loads(pickle.dumps(stats.beta(2, 3)))
    print(round(frozen.mean(), 6), stats.ttest_ind([1, 2, 3], [2, 3, 4])[0]
          .round(6), stats.linregress([0, 1, 2], [1, 3, 5]).slope)
    print(round(float(Triangle(a=0, b=1).mean()), 6),
          stats.qmc.Halton(1, scramble=False).random(3).ravel().round(4))


solve()
matrices()
statistics()
print(interpolate.CubicSpline([0, 1, 2], [0, 1, 4])(1.5).round(6),
      interpolate.interp1d([0, 1], [0, 2], kind="linear")(0.25))
b, a = signal.butter(2, 0.5)
print(b.round(5), signal.find_peaks([0, 1, 0, 2, 0])[0],
      scipy.signal.windows.get_window("hann", 4).round(4))
print(ndimage.gaussian_filter(np.eye(3), 1).round(3)[0],
      ndimage.label([1, 0, 1])[1], fft.dct([1.0, 2, 3]).round(4))
print(special.gamma(5), special.jv(0, 1.0).round(6), constants.c,
      constants.physical_constants["electron mass"][1])
tree = spatial.KDTree([[0, 0], [1, 1], [5, 5]])
print(tree.query([0.9, 0.9])[1], spatial.distance.cdist([[0, 0]], [[3, 4]],
                                                        "cityblock"))
print(spatial.transform.Rotation.from_euler("z", 90, degrees=True)
      .as_quat().round(4), fcluster(linkage([[0], [1], [9]]), 2, "distance"))
print(scipy.special.expit(0), scipy.datasets.__name__, scipy.odr.Model)
