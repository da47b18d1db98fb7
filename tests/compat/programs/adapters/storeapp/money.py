import decimal
from decimal import Decimal, ROUND_HALF_EVEN

decimal.getcontext().prec = 10


class Money(Decimal):
    pass


class Handle:
    def __init__(self, n):
        self.n = n

    def __repr__(self):
        return "Handle(%d)" % self.n


def half(text):
    return Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
