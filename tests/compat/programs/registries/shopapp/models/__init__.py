from .base import Model
from . import user, order
from . import audit
