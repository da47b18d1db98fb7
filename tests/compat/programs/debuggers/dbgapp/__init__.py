"""Application.

>>> from dbgapp import calc
>>> calc.mean([2, 4])
3
"""
