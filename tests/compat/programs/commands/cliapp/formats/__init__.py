from .base import available
from . import jsonfmt
from . import xmlfmt as _xml
from .csvfmt import CsvFormat  # noqa
