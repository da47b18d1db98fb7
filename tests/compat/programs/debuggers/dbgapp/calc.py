"""Calculations.

>>> mean([1, 2])
1.5
>>> math.floor(mean([1, 2]))
1
"""
import math
import statistics
from statistics import mean as _mean
from dbgapp.fmt import show

__all__ = ["mean", "label"]


def mean(values):
    total = _mean(values)
    text = show(total)
    return total


def label(n):
    """
    >>> label(3)
    '<3>'
    """
    return show(statistics.median([n, n]))
