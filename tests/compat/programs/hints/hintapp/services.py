from __future__ import annotations

import typing as t
from typing import Annotated, Generic, Protocol, TypeVar, runtime_checkable
import pathlib
from hintapp.entities import Item
from hintapp import entities as ent

if t.TYPE_CHECKING:
    import socket
    from .entities import Row

T = TypeVar("T")


@runtime_checkable
class Finder(Protocol):
    def find(self, where: pathlib.Path) -> None:
        ...


class Service:
    def find(
        self, where: pathlib.Path, kind: ent.Kind = None
    ) -> t.Optional[Item]:
        return None

    def hidden(self, s: socket.socket) -> None:
        pass


class Box(Generic[T]):
    def __init__(self, v: T):
        self.v = v

    def __repr__(self):
        return "Box(%r)" % (self.v,)


def handle(x: Annotated[ent.Perm, "flags"]) -> None:
    pass
