import re


class NoNoise:
    def __init__(self, words):
        self.expr = re.compile("|".join(map(re.escape, words)))

    def filter(self, record):
        return not self.expr.search(record.getMessage())
