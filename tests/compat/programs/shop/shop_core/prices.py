import math
from decimal import Decimal

from .catalogue import fits

__all__ = ["VAT", "round_up", "total"]
VAT = Decimal("0.2")


def round_up(value):
    return math.ceil(value)


def total(basket):
    assert fits(basket)
    return sum(count * price for _, count, price in basket.lines) * (1 + VAT)
