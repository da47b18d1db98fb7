from . import catalogue
from .basket import Basket
from .prices import total

__all__ = ["Basket", "catalogue", "total"]
