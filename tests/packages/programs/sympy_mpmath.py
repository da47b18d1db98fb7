# needs: python3-sympy python3-mpmath
# packages: sympy mpmath
"""Symbolic answers as a formula service gives them: parsing, calculus,
assumptions, printers by name, own functions; numbers of any precision."""
import copy
import pickle

import mpmath
import sympy
import sympy.physics.units as units
from mpmath import mp, mpf
from mpmath.calculus.quadrature import TanhSinh
from sympy import Function, Rational, S, Symbol, ask, Q, symbols
from sympy.combinatorics import Permutation, PermutationGroup
from sympy.core.sympify import SympifyError
from sympy.matrices import Matrix
from sympy.ntheory import factorint, isprime
from sympy.parsing.sympy_parser import (
    implicit_multiplication_application, parse_expr, standard_transformations)
from sympy.printing import latex
from sympy.printing.pycode import PythonCodePrinter
from sympy.stats import E, Normal, P

x, y = symbols("x y", real=True)
n = Symbol("n", integer=True, positive=True)


class Twice(Function):
    @classmethod
    def eval(cls, arg):
        if arg.is_Number:
            return 2 * arg

    def fdiff(self, argindex=1):
        return S(2)


class Shout(PythonCodePrinter):
    def _print_Symbol(self, expr):
        return expr.name.upper()


def calculus():
    print(sympy.diff(sympy.sin(x) * x, x), sympy.integrate(1 / (1 + x**2), x))
    print(sympy.limit(sympy.sin(x) / x, x, 0), sympy.series(sympy.exp(x), x,
                                                            0, 4))
    f = Function("f")
    print(sympy.dsolve(f(x).diff(x) - f(x), f(x)),
          sympy.summation(1 / n**2, (n, 1, sympy.oo)))
    print(sympy.solve(x**2 - 2, x), sympy.solveset(x**2 + 1, x, S.Reals),
          sympy.linsolve([x + y - 3, x - y - 1], x, y))
    print(sympy.factor(x**2 - 1), sympy.apart(1 / (x**2 - 1)),
          sympy.groebner([x * y - 1, x - y], x, y).exprs)
    print(sympy.laplace_transform(sympy.exp(-x), x, Symbol("s", positive=True),
                                  noconds=True))


def show():
    e = sympy.Integral(sympy.sqrt(x) / n, (x, 0, 1))
    for name in ("latex", "pretty", "ccode", "fcode", "mathml", "srepr",
                 "octave_code", "rust_code", "pycode"):
        arg = x**2 + sympy.sin(y)
        print(name, getattr(sympy, name)(arg).strip())
    print(latex(e), Shout().doprint(x + y), sympy.pretty(e))
    got = parse_expr("2x sin(y)", transformations=standard_transformations
                     + (implicit_multiplication_application,))
    print(got, sympy.sympify("Matrix([[1,2],[3,4]])").det())
    for bad in ("x +* y", "1 +"):
        try:
            sympy.sympify(bad)
        except SympifyError as error:
            print(type(error).__name__)


calculus()
show()
print(Twice(3), Twice(x).diff(x), Twice(x).subs(x, Rational(1, 2)))
print(ask(Q.even(2 * n)), Matrix([[2, 0], [0, 3]]).eigenvals(),
      factorint(360), isprime(97), pickle.loads(pickle.dumps(x + 1)) == x + 1)
print(PermutationGroup([Permutation([1, 2, 0])]).order(),
      units.convert_to(3 * units.km, units.meter))
X = Normal("X", 0, 1)
print(E(X**2), P(X > 0), sympy.lambdify(x, x**2 + 1, "math")(2))
print(sympy.And(x > 0, True), sympy.simplify_logic("a & (a | b)"),
      sympy.Interval(0, 2).intersect(sympy.FiniteSet(1, 5)))
print(sympy.nsolve(sympy.cos(x) - x, 1).round(8), S.Half.evalf(5),
      sympy.zeta(2), sympy.gamma(n + 1).rewrite(sympy.factorial))
mp.dps = 30
print(mpmath.quad(mpmath.exp, [0, 1]), mpf(2) ** 0.5, mpmath.zeta(3))
print(mpmath.findroot(lambda t: t**3 - 2, 1), mpmath.matrix([[1, 2], [3, 4]])
      ** -1, mpmath.polyroots([1, 0, -1]), mpmath.identify(mpf("0.5")))
print(mpmath.iv.mpf([1, 2]) + 1, mpmath.fp.sin(1.0), TanhSinh.__name__,
      copy.copy(mpf(3)), mpmath.diff(mpmath.sin, 0), mpmath.nsum(
          lambda k: 1 / k**2, [1, mpmath.inf]))
try:
    mpmath.quad("nope", [0, 1])
except TypeError as error:
    print(type(error).__name__)
