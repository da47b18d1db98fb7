import csv
import io
from .base import fmt


@fmt("csv")
class CsvFormat:
    def __init__(self, v):
        self.v = v

    def __str__(self):
        out = io.StringIO()
        csv.writer(out).writerows(self.v.items())
        return out.getvalue().strip()
