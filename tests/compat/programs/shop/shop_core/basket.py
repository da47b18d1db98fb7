import dataclasses

from . import catalogue


@dataclasses.dataclass
class Basket:
    lines: list = dataclasses.field(default_factory=list)

    def add(self, name, count):
        self.lines.append((name, count, catalogue.ITEMS[name]))
