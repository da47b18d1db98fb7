from . import user
from .base import Model


class Order(Model):
    def owner(self):
        return user.User()
