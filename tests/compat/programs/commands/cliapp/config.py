import configparser
import typing
from dataclasses import dataclass, fields


def load(text):
    c = configparser.ConfigParser(
        interpolation=configparser.ExtendedInterpolation()
    )
    c.read_string(text)
    return {s: dict(c[s]) for s in c.sections()}


@dataclass
class Settings:
    depth: int = 3
    names: typing.Tuple[str, ...] = ("a",)

    def as_dict(self):
        return {f.name: getattr(self, f.name) for f in fields(self)}
