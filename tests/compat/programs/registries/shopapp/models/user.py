from . import order
from .base import Model


class User(Model):
    def orders(self):
        return order.Order.__name__
