from __future__ import annotations

import datetime as dt
import decimal
from collections import abc
from dataclasses import dataclass, field
from enum import Enum, IntFlag, auto
from typing import TYPE_CHECKING, NamedTuple, Optional, TypedDict
from uuid import UUID

if TYPE_CHECKING:
    from .services import Service

limit: decimal.Decimal
when: dt.date = None


class Kind(str, Enum):
    SMALL = "s"
    BIG = "b"


class Perm(IntFlag):
    R = auto()
    W = auto()


@dataclass(order=True, slots=True)
class Item:
    name: str
    made: Optional[dt.datetime] = None
    kind: Kind = Kind.SMALL
    tags: abc.Sequence[UUID] = field(default_factory=list)


class Row(TypedDict, total=False):
    id: UUID
    price: decimal.Decimal


class Point(NamedTuple):
    x: int
    y: decimal.Decimal
