import csv
import io
from .base import Exporter, convert, Mappingish


class Csv(Exporter, kind="csv"):
    def run(self, rows):
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        return out.getvalue()


@convert.register(bytes)
def _(x):
    return "bytes"


Mappingish.register(dict)
