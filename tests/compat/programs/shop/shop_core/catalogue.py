import decimal

from . import basket as basket_module

ITEMS = {"tea": decimal.Decimal("2.50"), "cup": decimal.Decimal("7.25")}


def fits(basket):
    return isinstance(basket, basket_module.Basket)
